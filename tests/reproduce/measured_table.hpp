#pragma once

#include <cmath>
#include <vector>

#include "reproduce/measured.hpp"

namespace lacuna::experiment {

/// Two columns of table 2, one row without an outcome, and a column without any.
inline Measured two_columns() {
  Measured m{.table = {2,
                       "block masks",
                       "x 1e3",
                       {{"small", "advection", "b8"}, {"none", "advection", "b5"}, {"large", "kolmogorov", "b8"}},
                       {}},
             .budget = "smoke"};
  const double none = std::nan("");
  m.table.rows = {{"kriging", {.set = {}, .gaps = {}, .method = "kriging", .use = {}}},
                  {"ours", {.set = {}, .gaps = {}, .method = "ours"}, {{0.5, 0.25}, {7}, {none}}},
                  {"left out", {.set = {}, .gaps = {}, .method = "telea", .use = {}}, {{1}, {2}, {3}}}};
  m.settings.resize(3);
  m.errors.assign(3, std::vector<Statistics>(3));
  m.missing = m.errors;
  m.errors[0][0] = m.missing[0][0] = statistics({0.125});
  m.errors[0][2] = m.missing[0][2] = statistics({4});
  m.errors[1][0] = m.missing[1][0] = statistics({1, 3});
  m.errors[1][2] = m.missing[1][2] = statistics({2});
  m.seconds = 600;
  m.origins = {{"abc1234", "a processor", 1}, {"def5678", "another", 2}};
  m.note = "why";
  return m;
}

}  // namespace lacuna::experiment
