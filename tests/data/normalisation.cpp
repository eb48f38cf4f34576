#include "lacuna/data/normalisation.hpp"

#include "catch.hpp"
#include "support/probe.hpp"

using namespace lacuna;
using data::Fields;
using data::not_observed;

namespace {

Fields two_variables(const std::vector<float>& values) {
  Fields f;
  f.grid = {.y = {0}, .x = {0, 1}};
  f.names = {"u", "v"};
  f.time = {0, 1};
  f.values = values;
  return f;
}

}  // namespace

TEST_CASE("Normalisation: mean and deviation of the observed values of each variable") {
  const auto n = measure_normalisation(two_variables({1, 10, 3, not_observed, 5, 20, not_observed, 30}));
  CHECK(n.mean == std::vector<double>{3, 20});
  CHECK(n.deviation[0] == Approx(std::sqrt(8.0 / 3)));
  CHECK(n.deviation[1] == Approx(std::sqrt(200.0 / 3)));
}

TEST_CASE("Normalisation: applied it gives mean 0 and deviation 1, leaves gaps, and restores") {
  auto f = two_variables({1, 10, 3, not_observed, 5, 20, not_observed, 30});
  const auto before = f.values;
  const auto n = measure_normalisation(f);
  n.apply(f);
  const auto again = measure_normalisation(f);
  for (std::size_t v = 0; v < 2; ++v) {
    CHECK(again.mean[v] == Approx(0).margin(1e-7));
    CHECK(again.deviation[v] == Approx(1).epsilon(1e-6));
  }
  n.restore(f);
  CHECK(test::relative_difference(f.values, before) < 1e-6);  // gaps at the same places included
}

TEST_CASE("Normalisation: large offsets lose no digits") {
  const auto n = measure_normalisation(two_variables({100000, 1, 100002, 1, 100004, 2, 100006, 2}));
  CHECK(n.mean[0] == 100003);
  CHECK(n.deviation[0] == Approx(std::sqrt(5.0)).epsilon(1e-12));
}

TEST_CASE("Normalisation: a constant variable gets deviation 1") {
  const auto n = measure_normalisation(two_variables({7, 0, 7, 0, 7, 0, not_observed, 0}));
  CHECK(n.deviation == std::vector<double>{1, 1});
  CHECK(n.mean == std::vector<double>{7, 0});
}

TEST_CASE("Normalisation: a variable without an observed value is refused by name") {
  const auto f = two_variables({1, not_observed, 2, not_observed, 3, not_observed, 4, not_observed});
  CHECK(test::message_of<DataError>([&] { data::measure_normalisation(f); }) == "variable v has no observed value");
}
