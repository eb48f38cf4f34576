#pragma once

#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>

namespace lacuna {

/// @brief Base of everything the library throws; what() is one line that names the thing, what was expected and what came.
class Error : public std::runtime_error {
 public:
  /// Control characters, as text from a file may have them, become spaces: the message stays one line.
  explicit Error(std::string what) : std::runtime_error(one_line(std::move(what))) {}

 private:
  static std::string one_line(std::string what) {
    for (char& c : what)
      if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = ' ';
    return what;
  }
};

/// @brief Two shapes do not fit together.
class ShapeError : public Error {
 public:
  using Error::Error;
};

/// @brief A setting outside its range, or settings that contradict each other.
class OptionError : public Error {
 public:
  using Error::Error;
};

/// @brief A file or its content cannot be used.
class DataError : public Error {
 public:
  using Error::Error;
};

/// @brief Joins its arguments into one string, as operator<< prints them.
template <class... Parts>
std::string text(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

/// @brief Throws E with the joined parts unless the condition holds. Stays on in every build type.
template <class E = Error, class... Parts>
void require(bool condition, const Parts&... parts) {
  if (!condition) throw E(text(parts...));
}

}  // namespace lacuna
