#include "lacuna/metrics/anomaly_correlation.hpp"

#include <limits>

#include "catch.hpp"
#include "support/fill.hpp"

using namespace lacuna;
using metrics::anomaly_correlation;
using Values = std::vector<double>;

TEST_CASE("By hand, with and without weights") {
  const Values climatology{10, 10, 20, 20}, truth{11, 9, 22, 20}, filled{12, 10, 21, 19};
  // Anomalies: true 1, -1, 2, 0; filled 2, 0, 1, -1.
  CHECK(anomaly_correlation(filled, truth, climatology) == Approx(4 / std::sqrt(6.0 * 6.0)));
  CHECK(anomaly_correlation(filled, truth, climatology, Values{1, 0}) == Approx(4 / std::sqrt(5.0 * 5.0)));
  CHECK(anomaly_correlation(filled, truth, climatology, Values{3, 1, 1, 1}) == Approx(8 / std::sqrt(14.0 * 8.0)));
}

TEST_CASE("A multiple of the true anomaly correlates fully, the opposite fully the other way, noise hardly") {
  const auto climatology = test::normals<double>(2000, 1), anomaly = test::normals<double>(2000, 2),
             noise = test::normals<double>(2000, 3);
  Values truth = climatology, same = climatology, opposite = climatology, other = climatology;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    truth[i] += anomaly[i];
    same[i] += 0.2 * anomaly[i];
    opposite[i] -= anomaly[i];
    other[i] += noise[i];
  }
  CHECK(anomaly_correlation(same, truth, climatology) == Approx(1));
  CHECK(anomaly_correlation(opposite, truth, climatology) == Approx(-1));
  CHECK(std::abs(anomaly_correlation(other, truth, climatology)) < 0.09);  // four standard errors
}

TEST_CASE("Unknown positions are left out; a filled value that is missing is an error") {
  const double nan = test::nan<double>;
  CHECK(anomaly_correlation(Values{nan, 1, 2}, Values{nan, 1, 2}, Values{0, 0, 0}) == Approx(1));
  CHECK(anomaly_correlation(Values{5, 1, 2}, Values{5, 1, 2}, Values{nan, 0, 0}) == Approx(1));
  CHECK(anomaly_correlation(Values{nan, 1, 2}, Values{5, 1, 2}, Values{0, 0, 0}, Values{0, 1, 1}) == Approx(1));
  CHECK_THROWS_AS(anomaly_correlation(Values{nan}, Values{1}, Values{0}), DataError);
  const double infinite = std::numeric_limits<double>::infinity();
  CHECK_THROWS_AS(anomaly_correlation(Values{1, 1}, Values{infinite, 1}, Values{0, 0}), DataError);
}

TEST_CASE("Errors name what is wrong") {
  CHECK_THROWS_WITH(anomaly_correlation(Values{1}, Values{1, 2}, Values{0, 0}),
                    Catch::Matchers::Contains("1 filled values, 2 true"));
  CHECK_THROWS_WITH(anomaly_correlation(Values{0, 0}, Values{1, 2}, Values{0, 0}),
                    Catch::Matchers::Contains("filled anomalies are zero"));
  CHECK_THROWS_WITH(anomaly_correlation(Values{1, 1}, Values{1, 2}, Values{1, 2}),
                    Catch::Matchers::Contains("true anomalies are zero"));
  CHECK_THROWS_AS(anomaly_correlation(Values{1}, Values{1}, Values{0}, Values{-1}), DataError);
}

TEST_CASE("Area weights are the cosine of latitude") {
  const auto w = metrics::area_weights(Values{0, 60, -90}, 2);
  REQUIRE(w.size() == 6);
  CHECK(w[1] == 1);
  CHECK(w[2] == Approx(0.5));
  CHECK(w[5] == Approx(0).margin(1e-15));
}
