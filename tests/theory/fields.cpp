#include "lacuna/theory/fields.hpp"

#include "catch.hpp"

using namespace lacuna;
using namespace lacuna::theory;

TEST_CASE("samples have the covariance that the field is made of, and repeat") {
  const ExponentialField field(3, 4, 2.0);
  CHECK(field.law().covariance()(0, 5) == Approx(std::exp(-std::sqrt(2.0) / 2.0)));
  CHECK(field.law().covariance()(3, 4) == Approx(std::exp(-std::sqrt(10.0) / 2.0)));  // last column, first of the next row
  constexpr int count = 20000;
  const auto drawn = field.draw(count, 1);
  REQUIRE(drawn.frames() == count);
  Eigen::MatrixXd x(12, count);
  for (Eigen::Index i = 0; i < x.size(); ++i) x(i % 12, i / 12) = static_cast<double>(drawn.values[static_cast<std::size_t>(i)]);
  // Standard errors of at most sqrt(2 / count) = 0.01.
  CHECK((x * x.transpose() / count - field.law().covariance()).cwiseAbs().maxCoeff() < 0.04);
  CHECK(x.rowwise().mean().cwiseAbs().maxCoeff() < 0.03);
  CHECK(field.draw(70, 1).values == field.draw(70, 1).values);
  CHECK(field.draw(70, 2).values != field.draw(70, 1).values);
  CHECK_THROWS_AS(ExponentialField(3, 3, 0.0), OptionError);
}

TEST_CASE("pixels are observed at their ratio, blocks go whole, and every frame has gaps of its own") {
  const ExponentialField field(9, 10, 2.0);
  const auto pixels = observed_pixels(field.grid(), 200, 0.3, 1);
  double seen = 0;
  for (const auto m : pixels) seen += m;
  CHECK(seen / static_cast<double>(pixels.size()) == Approx(0.3).margin(0.01));
  CHECK_FALSE(std::equal(pixels.begin(), pixels.begin() + 90, pixels.begin() + 90));

  const auto blocks = observed_blocks(field.grid(), 200, 3, 3, 2, 1);
  const auto partition = mask::BlockPartition::of(3, 3, 9, 10);
  std::vector<int> lost(9, 0);
  for (int t = 0; t < 200; ++t) {
    std::vector<int> missing(9, 0), size(9, 0);
    for (int i = 0; i < 90; ++i) {
      const auto block = static_cast<std::size_t>(partition.block(i / 10, i % 10));
      missing[block] += blocks[static_cast<std::size_t>(t * 90 + i)] == 0 ? 1 : 0;
      ++size[block];
    }
    int gone = 0;
    for (std::size_t b = 0; b < 9; ++b) {
      CHECK((missing[b] == 0 || missing[b] == size[b]));
      gone += missing[b] > 0 ? 1 : 0;
      lost[b] += missing[b] > 0 ? 1 : 0;
    }
    CHECK(gone == 2);
  }
  for (const int count : lost) CHECK(count > 20);  // 44 expected
  CHECK_THROWS_AS(observed_blocks(field.grid(), 1, 3, 3, 9, 1), OptionError);
}

TEST_CASE("gaps hide values and nothing else") {
  const ExponentialField field(2, 2, 1.0);
  const auto whole = field.draw(1, 1);
  const auto gappy = with_gaps(whole, {1, 0, 1, 1});
  CHECK(std::isnan(gappy.values[1]));
  CHECK(gappy.values[2] == whole.values[2]);
  CHECK_THROWS_AS(with_gaps(whole, {1, 0}), ShapeError);
}
