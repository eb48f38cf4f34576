#include "lacuna/baseline/dineof.hpp"

#include <Eigen/Eigenvalues>

#include "baseline/maker.hpp"
#include "catch.hpp"
#include "support/compare.hpp"

using namespace lacuna;
using baseline::Dineof;
using baseline::DineofSettings;

namespace {

/// (T, H, W, 2): `modes` products of a pattern and a series, of falling size; complete.
data::Fields low_rank(int height, int width, int frames, int modes) {
  data::Fields f;
  f.grid = test::plane(height, width);
  f.names = {"a", "b"};
  for (int t = 0; t < frames; ++t) {
    f.time.push_back(t);
    for (int i = 0; i < height * width * 2; ++i) {
      double value = 0;
      for (int k = 0; k < modes; ++k)
        value += std::pow(0.5, k) * std::sin(0.7 * (k + 1) * i + k) * std::cos(0.45 * (k + 1) * t + 0.3 * k);
      f.values.push_back(static_cast<float>(value));
    }
  }
  return f;
}

data::Fields with_gaps(data::Fields f, double density, std::uint64_t seed) {
  const auto seen = test::random_mask(static_cast<int>(f.values.size()), density, seed);
  for (std::size_t i = 0; i < seen.size(); ++i)
    if (seen[i] == 0) f.values[i] = data::not_observed;
  return f;
}

constexpr DineofSettings thorough{.tolerance = 1e-6, .most_iterations = 2000};

std::vector<float> zero(const data::Fields& f) { return std::vector<float>(f.values.size(), 0.0f); }

}  // namespace

TEST_CASE("DINEOF: one value missing from a matrix of rank one") {
  // Rows (1, 2, 4) and (3, 6, 12): the gap of the second can only be 12.
  data::Fields f;
  f.grid = test::plane(1, 2);
  f.names = {"a"};
  f.time = {0, 1, 2};
  f.values = {1, 3, 2, 6, 4, data::not_observed};
  CHECK(test::relative_difference(baseline::dineof(f, zero(f), 1, thorough), std::vector<float>{1, 3, 2, 6, 4, 12}) < 1e-3);
}

TEST_CASE("DINEOF: fields of a few modes come back from less than half of their values") {
  const auto truth = low_rank(8, 9, 30, 3);
  const auto gappy = with_gaps(truth, 0.45, 31);
  const auto filled = baseline::dineof(gappy, zero(gappy), 3, thorough);
  CHECK(test::relative_difference(filled, truth.values) < 1e-3);
  for (std::size_t i = 0; i < filled.size(); ++i)
    if (!std::isnan(gappy.values[i])) CHECK(filled[i] == gappy.values[i]);
}

TEST_CASE("DINEOF: the fill is a fixed point of the truncated singular value decomposition") {
  const auto gappy = with_gaps(low_rank(6, 7, 20, 6), 0.6, 32);
  const auto filled = baseline::dineof(gappy, zero(gappy), 2, {.tolerance = 1e-7, .most_iterations = 5000});
  const auto rows = static_cast<Eigen::Index>(gappy.frame_size());
  const Eigen::MatrixXd x = Eigen::Map<const Eigen::MatrixXf>(filled.data(), rows, 20).cast<double>();
  // Of x x^T, in ascending order: Eigen 3.4 and 5 spell the decomposition of x itself differently.
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> squared(x * x.transpose());
  const Eigen::MatrixXd modes = squared.eigenvectors().rightCols(2), two = modes * modes.transpose() * x;
  double worst = 0;
  for (std::size_t i = 0; i < filled.size(); ++i)
    if (std::isnan(gappy.values[i])) worst = std::max(worst, std::abs(two.data()[i] - static_cast<double>(filled[i])));
  CHECK(worst < 1e-4);
}

TEST_CASE("DINEOF: the number of modes is chosen on withheld values, and added to the mean field") {
  const auto truth = low_rank(8, 9, 30, 3);
  auto available = with_gaps(truth, 0.7, 33);
  std::vector<std::uint8_t> withheld(truth.values.size(), 0);
  const auto kept_aside = test::random_mask(static_cast<int>(withheld.size()), 0.15, 34);
  for (std::size_t i = 0; i < withheld.size(); ++i)
    if (kept_aside[i] != 0 && !std::isnan(available.values[i])) {
      withheld[i] = 1;
      available.values[i] = data::not_observed;
    }
  // Noise on what is available alone: modes beyond the third only fit it.
  for (std::size_t i = 0; i < available.values.size(); ++i)
    available.values[i] += 0.1f * static_cast<float>(std::sin(12.9898 * static_cast<double>(i * i % 1013)));
  const validation::ValidationData evidence{available, truth.values, withheld, {}};
  const std::vector<float> mean(truth.values.size(), 0.0f);
  const auto choice = baseline::choose_dineof(evidence, mean);
  CHECK(choice.modes == 3);
  double squares = 0, power = 0;
  for (std::size_t i = 0; i < withheld.size(); ++i)
    if (withheld[i] != 0) {
      squares += std::pow(static_cast<double>(choice.filled[i] - truth.values[i]), 2);
      power += std::pow(static_cast<double>(truth.values[i]), 2);
    }
  CHECK(squares < 0.05 * power);
  const auto parallel = baseline::choose_dineof(evidence, mean, {}, 3);
  CHECK(parallel.modes == choice.modes);
  CHECK(parallel.filled == choice.filled);

  // A mean field that already says all leaves nothing to the modes.
  const auto exact = baseline::choose_dineof(evidence, truth.values);
  CHECK(exact.modes == 0);
  for (std::size_t i = 0; i < withheld.size(); ++i)
    if (withheld[i] != 0) CHECK(exact.filled[i] == truth.values[i]);
}

TEST_CASE("DINEOF: a frame and a cell without any observation get the mean field") {
  auto f = with_gaps(low_rank(5, 6, 12, 2), 0.8, 35);
  const std::size_t frame = f.frame_size();
  for (std::size_t i = 0; i < frame; ++i) f.values[4 * frame + i] = data::not_observed;
  for (std::size_t t = 0; t < 12; ++t) f.values[t * frame + 7] = data::not_observed;
  const std::vector<float> mean(f.values.size(), 0.25f);
  const auto filled = baseline::dineof(f, mean, 2);
  CHECK(test::all_finite(filled));
  for (std::size_t i = 0; i < frame; ++i) CHECK(filled[4 * frame + i] == Approx(0.25).margin(1e-4));
  for (std::size_t t = 0; t < 12; ++t) CHECK(filled[t * frame + 7] == 0.25f);
}

TEST_CASE("DINEOF: settings and shapes are checked, and there are no more modes than frames") {
  const auto f = with_gaps(low_rank(3, 3, 4, 1), 0.8, 36);
  CHECK_THROWS_AS(Dineof(f, f.values, {.most_modes = 0}), OptionError);
  CHECK_THROWS_AS(Dineof(f, std::vector<float>(3)), ShapeError);
  Dineof eof(f, f.values);
  CHECK(eof.rank() == 4);
  for (int k = 0; k < 4; ++k) eof.add_mode();
  CHECK_THROWS_WITH(eof.add_mode(), Catch::Matchers::Contains("5 modes of"));
  CHECK(test::all_finite(baseline::dineof(f, zero(f), 100)));
}

TEST_CASE("DINEOF: a short record with a lost frame has no modes of it, and all its modes keep the fill finite") {
  // Full rank, and frames that repeat each other: vectors beyond the rank are rounding.
  for (const int modes : {6, 2, 1}) {
    auto f = with_gaps(low_rank(4, 5, 6, modes), 0.7, 37);
    const std::size_t frame = f.frame_size();
    for (std::size_t i = 0; i < frame; ++i) f.values[3 * frame + i] = data::not_observed;
    CHECK(Dineof(f, f.values).rank() == 5);
    const auto filled = baseline::dineof(f, zero(f), 100);
    for (std::size_t i = 0; i < filled.size(); ++i) {
      REQUIRE(std::abs(filled[i]) < 20.0f);
      if (i / frame == 3) CHECK(filled[i] == Approx(0.0f).margin(1e-3));
    }
  }
}
