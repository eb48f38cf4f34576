// Time units of any text: finite or empty, dates within their range, and dates printed and parsed again are the same.

#include "lacuna/data/time_units.hpp"

#include <cmath>

#include "input.hpp"

using namespace lacuna::data;

namespace {

void parse(const std::string& text) {
  if (const auto unit = seconds_in(text)) fuzz::expect(*unit >= 1 && *unit <= 604800, "a unit is from a second to a week");
  const auto units = parse_time_units(text);
  if (!units) return;
  fuzz::expect(units->unit >= 1 && units->unit <= 604800, "a unit is from a second to a week");
  fuzz::expect(std::abs(units->epoch) < 1.1e12, "an epoch lies within the calendar's years", text);
  fuzz::expect(units->seconds(0) == units->epoch, "time 0 is the epoch");
  date_text(static_cast<std::int64_t>(units->epoch));
}

void print(std::int64_t seconds) {
  const std::string date = date_text(seconds);
  const auto units = parse_time_units("seconds since " + date);
  if (!units)
    return fuzz::expect(date == std::to_string(seconds) + " s after 1970", "a time is printed as a date or as it is", date);
  fuzz::expect(units->epoch == static_cast<double>(seconds), "a date parses to what was printed", date);
}

}  // namespace

/// The first line is parsed; the eight bytes after it are a time to print.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Bytes in(data, size);
  parse(std::string(in.until('\n')));
  print(in.number<std::int64_t>());
  return 0;
}
