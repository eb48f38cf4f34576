#pragma once

#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>
#include <system_error>
#include <type_traits>

namespace lacuna {

/// @brief The number that is all of the text: empty for "5x", "1e3" as a whole number, "", and what does not fit T. Infinite and
/// NaN are no numbers.
template <class T>
std::optional<T> parse_number(std::string_view text) {
  T number{};
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if constexpr (std::is_floating_point_v<T>)
    if (!std::isfinite(number)) return std::nullopt;
  return number;
}

}  // namespace lacuna
