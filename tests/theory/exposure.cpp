#include "lacuna/theory/exposure.hpp"

#include "catch.hpp"
#include "lacuna/mask/blocks.hpp"
#include "lacuna/mask/pixels.hpp"
#include "theory/line.hpp"

using namespace lacuna;
using namespace lacuna::theory;
using test::line;

namespace {

/// Eight positions in four blocks of two; each mask misses one block.
struct Blocked {
  std::vector<std::vector<std::uint8_t>> bytes;
  std::vector<mask::Window> windows;

  Blocked() {
    for (std::size_t lost = 0; lost < 4; ++lost) {
      bytes.emplace_back(8, std::uint8_t{1});
      bytes.back()[2 * lost] = bytes.back()[2 * lost + 1] = 0;
    }
    for (const auto& b : bytes) windows.push_back(mask::window_of({1, 1, 8, 1, false, b}, 0, 1));
  }
};

const std::vector<double> values{0.7, 0.2, 0, 0, -0.5, 0.1, 0, 0}, output{0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5};
const mask::Blocks blocks{.rows = 1, .cols = 4};

/// Four standard errors of the share of `draws` with probability p.
double bound(double p, double draws) { return 4 * std::sqrt(p * (1 - p) / draws); }

}  // namespace

TEST_CASE("Theorem 1: contexts of whole blocks query every block outside, and the gradient is as large as predicted") {
  const Blocked masks;
  const auto prior = line(8, 2.0);
  const std::vector<std::uint8_t> context{1, 1, 0, 0, 1, 1, 0, 0};
  const Level level{1, 0.1};
  const auto e = measure_exposure(blocks, masks.windows, prior,
                                  {.context = context, .values = values, .output = output, .level = level, .trials = 20000});
  const auto draws = static_cast<double>(e.draws);
  CHECK(std::abs(draws / 20000 - 1.0 / 6) < bound(1.0 / 6, 20000));  // one of six pairs of blocks
  const auto law = prior.given(context, values, level);
  for (std::size_t i = 0; i < 8; ++i) {
    INFO("position " << i);
    const double p = context[i] != 0 ? 0.0 : 0.5;  // either of the two blocks was the one dropped
    CHECK(std::abs(e.frequency[i] - p) <= bound(p, draws));
    if (p == 0) {
      CHECK(e.squared_gradient[i] == 0);
      continue;
    }
    const auto at = static_cast<Eigen::Index>(i);
    // About 1650 queried draws; squares of normals scatter by up to 1.4 of their mean: four standard errors are 14 %.
    CHECK(e.squared_gradient[i] == Approx(e.predicted_gradient[i]).epsilon(0.14));
    CHECK(std::abs(e.learned[i] - law.mean()[at]) < 4 * std::sqrt(law.covariance()(at, at) / (0.5 * draws)));
  }
}

TEST_CASE("Theorem 1: contexts of single pixels never query the block that is missing") {
  const Blocked masks;
  const std::vector<std::uint8_t> context{1, 0, 0, 0, 1, 1, 0, 1};  // a pixel of every block but the second
  const auto e = measure_exposure(mask::Pixels{.ratio = 0.7f, .query = 1.0f}, masks.windows, line(8, 2.0),
                                  {.context = context, .values = values, .output = output, .level = {1, 0.1}, .trials = 20000});
  CHECK(e.frequency[2] == 0);
  CHECK(e.frequency[3] == 0);
  CHECK(e.squared_gradient[2] == 0);
  for (const std::size_t i : {0u, 1u, 4u, 5u, 6u, 7u}) CHECK(e.frequency[i] == 1);
}

TEST_CASE("exposure: a context that never occurs and sizes that differ are refused") {
  const Blocked masks;
  const std::vector<std::uint8_t> odd{1, 0, 0, 0, 0, 0, 0, 0};
  const ExposureCase c{.context = odd, .values = values, .output = output, .level = {}, .trials = 100};
  CHECK_THROWS_AS(measure_exposure(blocks, masks.windows, line(8, 2.0), c), Error);
  CHECK_THROWS_AS(measure_exposure(blocks, masks.windows, line(7, 2.0), c), ShapeError);
}
