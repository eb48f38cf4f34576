#include <cmath>
#include <lacuna/lacuna.hpp>

/// The README's lines, on a small wave of which half is missing. Prints nothing, nor does the library.
int main() {
  lacuna::data::Fields fields;
  for (int i = 0; i < 12; ++i) fields.grid.y.push_back(i), fields.grid.x.push_back(i);
  fields.names = {"wave"};
  for (int t = 0; t < 9; ++t) {
    fields.time.push_back(t);
    for (int i = 0; i < 144; ++i)
      fields.values.push_back((7919 * i + 104729 * (t / 3)) % 97 % 2 == 0 ? std::sin(0.3f * static_cast<float>(i % 12 + t))
                                                                          : NAN);
  }
  const auto result = lacuna::impute(
      fields, {.network = {.hidden = 4}, .training = {.budget = {.steps = 3}}, .ensemble = {.members = 2}, .seed = 1});
  for (const float x : result.filled.values)
    if (!std::isfinite(x)) return 1;
  return result.report.steps == 3 ? 0 : 1;
}
