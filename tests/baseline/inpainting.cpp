#include "lacuna/baseline/inpainting.hpp"

#include "baseline/maker.hpp"
#include "catch.hpp"
#include "support/compare.hpp"

using namespace lacuna;
using Plane = std::vector<float>;
using Mask = std::vector<std::uint8_t>;

namespace {

/// Root mean square error of the gaps of a wave of two lengths.
template <class Fill>
double error(const data::Grid& grid, const Mask& known) {
  Plane values;
  for (int i = 0; i < grid.cells(); ++i) values.push_back(test::wave(grid, i / grid.width(), i % grid.width(), 0));
  const Plane out = test::filled<Fill>(grid, known, values);
  double sum = 0, count = 0;
  for (std::size_t i = 0; i < out.size(); ++i)
    if (known[i] == 0) {
      sum += std::pow(static_cast<double>(out[i] - values[i]), 2);
      count += 1;
    }
  return std::sqrt(sum / count);
}

}  // namespace

TEMPLATE_TEST_CASE("Inpainting: known cells stay, a gap in a constant is the constant, nothing known is zero", "",
                   baseline::TeleaFill, baseline::NavierStokesFill) {
  const data::Grid grid = test::plane(9, 10);
  Mask known(90, 1);
  for (const int i : {33, 34, 43, 44, 45}) known[static_cast<std::size_t>(i)] = 0;
  CHECK(test::filled<TestType>(grid, known, Plane(90, -2.5f)) == Plane(90, -2.5f));
  CHECK(test::filled<TestType>(grid, Mask(90, 0), Plane(90, 1.0f)) == Plane(90, 0.0f));
  Plane values;
  for (int i = 0; i < 90; ++i) values.push_back(test::wave(grid, i / 10, i % 10, 0));
  CHECK(test::filled<TestType>(grid, Mask(90, 1), values) == values);
  const Plane out = test::filled<TestType>(grid, known, values);
  for (std::size_t i = 0; i < 90; ++i) CHECK(known[i] == (out[i] == values[i] ? 1 : 0));
}

TEMPLATE_TEST_CASE("Inpainting: not rounded to eight bits, whatever the units", "", baseline::TeleaFill,
                   baseline::NavierStokesFill) {
  const data::Grid grid = test::plane(16, 16);
  const Mask known = test::random_mask(256, 0.5, 41);
  Plane values, scaled;
  for (int i = 0; i < 256; ++i) {
    values.push_back(test::wave(grid, i / 16, i % 16, 0));
    scaled.push_back(1000.0f * values.back() + 4000.0f);
  }
  const Plane out = test::filled<TestType>(grid, known, values);
  Plane expected = test::filled<TestType>(grid, known, scaled);
  for (float& x : expected) x = (x - 4000.0f) / 1000.0f;
  CHECK(test::relative_difference(out, expected) < 1e-3);
  CHECK(error<TestType>(grid, known) < 0.75 * error<baseline::MeanFill>(grid, known));
}

TEMPLATE_TEST_CASE("Inpainting: a gap at the seam of a periodic grid is filled from both sides", "", baseline::TeleaFill,
                   baseline::NavierStokesFill) {
  Mask known(12 * 24, 1);
  for (std::size_t i = 0; i < known.size(); ++i)
    if (i % 24 < 2 || i % 24 >= 22) known[i] = 0;
  CHECK(error<TestType>(test::plane(12, 24, true), known) < error<TestType>(test::plane(12, 24, false), known));
}
