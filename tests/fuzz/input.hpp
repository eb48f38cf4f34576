#pragma once

#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "lacuna/core/error.hpp"

/// What the fuzzers share. Each turns bytes into a file, text or settings, and hands them to the library: whatever they are, it
/// may refuse them by a lacuna::Error, and do nothing worse.
namespace fuzz {

/// Ends the program, which libFuzzer and the replay both take for a failure.
inline void expect(bool holds, const char* what, const std::string& detail = "") {
  if (holds) return;
  std::fprintf(stderr, "expected: %s\n%s\n", what, detail.c_str());
  std::abort();
}

/// The message of the lacuna::Error by which f refuses its input, empty where it does not. Anything else thrown ends the program.
template <class F>
std::string refusal(F&& f) {
  try {
    f();
  } catch (const lacuna::Error& error) {
    const std::string message = error.what();
    expect(!message.empty(), "an error has a message");
    return message;
  }
  return {};
}

/// Whether f refuses its input: in one line, whatever it quotes of a file.
template <class F>
bool refused(F&& f) {
  const std::string message = refusal(f);
  expect(message.find('\n') == std::string::npos, "an error's message is one line", message);
  return !message.empty();
}

/// An input, taken apart from its beginning. What is no longer there is empty, or 0.
class Bytes {
 public:
  Bytes(const std::uint8_t* data, std::size_t size) : rest_(reinterpret_cast<const char*>(data), size) {}

  template <class T>
  T number() {
    T out{};
    const std::string_view bytes = take(sizeof out);
    if (!bytes.empty()) std::memcpy(&out, bytes.data(), bytes.size());
    return out;
  }
  std::string_view take(std::size_t count) {
    const std::string_view out = rest_.substr(0, count);
    rest_.remove_prefix(out.size());
    return out;
  }
  /// Up to the next `end`, which is dropped.
  std::string_view until(char end) {
    const std::string_view out = take(rest_.find(end));
    take(1);
    return out;
  }
  std::vector<std::string> lines() {
    std::vector<std::string> out;
    while (!empty()) out.emplace_back(until('\n'));
    return out;
  }
  std::string_view rest() const { return rest_; }
  bool empty() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

/// This process's folder for files, removed at the end.
inline const std::filesystem::path& folder() {
  static const struct Folder {
    std::filesystem::path path = std::filesystem::temp_directory_path() / ("lacuna_fuzz." + std::to_string(::getpid()));
    Folder() { std::filesystem::create_directories(path); }
    ~Folder() {
      std::error_code ignored;
      std::filesystem::remove_all(path, ignored);
    }
  } own;
  return own.path;
}

/// A file of that content; the next one of the same name replaces it.
inline std::string file(const std::string& name, std::string_view content) {
  const std::string path = folder() / name;
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

/// A safetensors file: an input that begins with '{' is a header of one line, to which the length is added, and data; so changes
/// to the header need no matching change of its length. Any other input is the file.
inline std::string safetensors_file(const std::string& name, Bytes in) {
  if (!in.rest().starts_with('{')) return file(name, in.rest());
  const std::string_view header = in.until('\n');
  const std::uint64_t length = header.size();
  std::string content(reinterpret_cast<const char*>(&length), sizeof length);
  return file(name, content.append(header).append(in.rest()));
}

}  // namespace fuzz
