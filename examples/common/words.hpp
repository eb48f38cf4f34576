#pragma once

#include <limits>
#include <string>

#include "lacuna/core/error.hpp"
#include "lacuna/core/parse_number.hpp"

// Words of the command line as numbers.

/// @brief The number that is all of the word, within limits. Throws: OptionError that names the option and what is expected.
template <class Number>
Number number_of(const char* option, const std::string& word, Number least, Number most, const std::string& expected) {
  const auto number = lacuna::parse_number<Number>(word);
  lacuna::require<lacuna::OptionError>(number && *number >= least && *number <= most, option, " ", word, ": expected ", expected);
  return *number;
}

template <class Number>
Number whole_number_of(const char* option, const std::string& word, Number least) {
  constexpr Number most = std::numeric_limits<Number>::max();
  return number_of(option, word, least, most, lacuna::text("a whole number from ", least, " to ", most));
}
