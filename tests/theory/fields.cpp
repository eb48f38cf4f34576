#include "lacuna/theory/fields.hpp"

#include <cmath>

#include "catch.hpp"
#include "lacuna/mask/draw.hpp"

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

TEST_CASE("the conditional mean is the oracle's, and reads nothing outside the context") {
  constexpr int side = 8;
  const ExponentialField field{side, side, 6.0};
  const data::Fields truth = field.draw(1, 2);
  const auto observed = mask::draw_pixels(field.grid(), 1, 0.5, 2);
  std::vector<double> values;
  std::vector<float> poisoned;
  const auto context = Mask(observed);
  for (std::size_t j = 0; j < side * side; ++j) {
    values.push_back(static_cast<double>(truth.values[j]));
    poisoned.push_back(context[j] != 0 ? truth.values[j] : std::nanf(""));
  }
  const Eigen::VectorXd expected = field.law().given(context, values).mean();
  CHECK((conditional_mean(field.law().gain(context, {}), context, poisoned) - expected).norm() < 1e-10);
}
