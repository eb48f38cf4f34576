#include "lacuna/metrics/squared_error.hpp"

#include <vector>

#include "catch.hpp"
#include "support/fill.hpp"

using namespace lacuna;
using metrics::SquaredErrors;

namespace {

using Floats = std::vector<float>;
using Mask = std::vector<std::uint8_t>;

void add(SquaredErrors& errors, const Floats& filled, const Floats& truth, const Mask& observed) {
  errors.add(std::span(filled), std::span(truth), std::span(observed));
}

}  // namespace

TEST_CASE("Means over all and over missing positions, summed over calls") {
  SquaredErrors errors;
  add(errors, {1, 2, 3, 7}, {1, 2, 5, 6}, {1, 1, 0, 0});
  CHECK(errors.all() == 1.25);
  CHECK(errors.missing() == 2.5);
  add(errors, {0, 0}, {0, 4}, {1, 0});
  CHECK(errors.all() == Approx(21.0 / 6));
  CHECK(errors.missing() == 7);
}

TEST_CASE("A mask shorter than the fields repeats") {
  SquaredErrors errors;
  add(errors, {0, 0, 0, 0}, {1, 2, 3, 4}, {1, 0});
  CHECK(errors.missing() == (4 + 16) / 2.0);
  CHECK(errors.all() == 30 / 4.0);
}

TEST_CASE("Unknown truth is not scored, whatever was filled; a value that is missing is an error") {
  SquaredErrors errors;
  add(errors, {test::nan<float>, 1}, {test::nan<float>, 3}, {0, 0});
  CHECK(errors.all() == 4);
  CHECK(errors.missing() == 4);
  CHECK_THROWS_AS(add(errors, {test::nan<float>}, {1}, {0}), DataError);
  CHECK_THROWS_AS(add(errors, {std::numeric_limits<float>::infinity()}, {1}, {1}), DataError);
}

TEST_CASE("Exact observed values: the mean over all is that over missing times their share") {
  const auto truth = test::normals<double>(300, 1), noise = test::normals<double>(300, 2);
  const auto observed = test::coins(100, 0.7f, 3);
  std::vector<double> filled = truth;
  std::size_t missing = 0;
  for (std::size_t i = 0; i < 300; ++i)
    if (observed[i % 100] == 0) {
      filled[i] += noise[i];
      ++missing;
    }
  SquaredErrors errors;
  errors.add(std::span<const double>(filled), std::span<const double>(truth), std::span<const std::uint8_t>(observed));
  CHECK(errors.all() == Approx(errors.missing() * static_cast<double>(missing) / 300));
}

TEST_CASE("Sizes that do not fit, and nothing to score, are errors") {
  SquaredErrors errors;
  CHECK_THROWS_AS(errors.all(), DataError);
  CHECK_THROWS_AS(add(errors, {1}, {1, 2}, {1}), ShapeError);
  CHECK_THROWS_AS(add(errors, {1, 2, 3}, {1, 2, 3}, {1, 0}), ShapeError);
  CHECK_THROWS_AS(add(errors, {1}, {1}, {}), ShapeError);
  add(errors, {1}, {1}, {1});
  CHECK_THROWS_AS(errors.missing(), DataError);
}
