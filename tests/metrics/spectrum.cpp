#include "lacuna/metrics/spectrum.hpp"

#include <functional>
#include <numbers>
#include <numeric>

#include "catch.hpp"
#include "support/fill.hpp"

using namespace lacuna;
using metrics::log_spectral_distance;
using metrics::RadialSpectrum;
using metrics::Spectrum;

namespace {

std::vector<double> plane(int n, const std::function<double(double, double)>& f) {
  std::vector<double> out;
  for (int y = 0; y < n; ++y)
    for (int x = 0; x < n; ++x) out.push_back(f(2 * std::numbers::pi * x / n, 2 * std::numbers::pi * y / n));
  return out;
}

}  // namespace

TEST_CASE("Waves fall into their shells") {
  const auto f = plane(16, [](double x, double y) { return 0.5 + 2 * std::cos(3 * x + 4 * y) + std::sin(2 * y); });
  RadialSpectrum variance(16, Spectrum::variance), energy(16, Spectrum::energy_from_vorticity);
  variance.add(f);
  energy.add(f);
  const auto v = variance.mean(), e = energy.mean();
  REQUIRE(v.size() == 9);
  for (std::size_t s = 0; s < 9; ++s) {
    INFO("shell " << s);
    const double expected = s == 0 ? 0.25 : s == 2 ? 0.5 : s == 5 ? 2.0 : 0.0;
    CHECK(v[s] == Approx(expected).margin(1e-14));
    CHECK(e[s] == Approx(s == 2 ? 0.5 / 8 : s == 5 ? 2.0 / 50 : 0.0).margin(1e-14));
  }
}

TEST_CASE("Shells add up to the mean square of a field without corners of the spectrum, and planes are averaged") {
  const auto a = plane(12, [](double x, double y) { return std::sin(x - 2 * y) + 0.3 * std::cos(5 * x); });
  const auto b = plane(12, [](double, double y) { return 3 * std::cos(y); });
  RadialSpectrum spectrum(12, Spectrum::variance);
  spectrum.add(a);
  auto both = b;
  both.insert(both.end(), a.begin(), a.end());
  spectrum.add(both);
  const auto e = spectrum.mean();
  const double of_a = 0.5 + 0.045, of_b = 4.5;
  CHECK(std::accumulate(e.begin(), e.end(), 0.0) == Approx((2 * of_a + of_b) / 3));
}

TEST_CASE("Log-spectral distance: a factor of two is three decibels") {
  const std::vector<double> truth{9, 4, 2, 1};
  CHECK(log_spectral_distance(truth, truth) == 0);
  CHECK(log_spectral_distance(std::vector<double>{1, 8, 4, 2}, truth) == Approx(10 * std::log10(2)));  // the mean does not count
  CHECK(log_spectral_distance(std::vector<double>{9, 4, 2, 0.1}, truth) == Approx(10 / std::sqrt(3)));
  // 120 dB below the largest is the floor for the tested, and the end of what counts for the truth.
  CHECK(log_spectral_distance(std::vector<double>{9, 4, 2, 0}, truth) == Approx(10 * std::log10(1.0 / 4e-12) / std::sqrt(3)));
  CHECK(log_spectral_distance(std::vector<double>{9, 8, 5}, std::vector<double>{9, 4, 1e-13}) == Approx(10 * std::log10(2)));
}

TEST_CASE("A smoothed field has lost its small scales, which the distance shows and the mean square hides") {
  const auto noise = test::normals<double>(32 * 32, 1);
  std::vector<double> smooth(noise.size());
  for (std::size_t y = 0; y < 32; ++y)
    for (std::size_t x = 0; x < 32; ++x) smooth[y * 32 + x] = 0.5 * (noise[y * 32 + x] + noise[y * 32 + (x + 1) % 32]);
  RadialSpectrum a(32, Spectrum::variance), b(32, Spectrum::variance);
  a.add(smooth);
  b.add(noise);
  CHECK(log_spectral_distance(a.mean(), b.mean()) > 1);
  CHECK(a.mean()[1] == Approx(b.mean()[1]).epsilon(0.05));
  CHECK(a.mean()[16] < 0.7 * b.mean()[16]);
}

TEST_CASE("NaN shows; sizes and emptiness are errors") {
  RadialSpectrum spectrum(4, Spectrum::variance);
  CHECK_THROWS_AS(spectrum.mean(), DataError);
  CHECK_THROWS_AS(spectrum.add(std::vector<double>(15)), ShapeError);
  CHECK_THROWS_AS(spectrum.add(std::vector<double>()), ShapeError);
  CHECK_THROWS_AS(log_spectral_distance(std::vector<double>{1, 2}, std::vector<double>{1, 2, 3}), ShapeError);
  CHECK_THROWS_AS(log_spectral_distance(std::vector<double>{1, 2}, std::vector<double>{1, 0}), DataError);
  std::vector<double> broken(16, 1.0);
  broken[3] = test::nan<double>;
  spectrum.add(broken);
  CHECK(std::isnan(spectrum.mean()[1]));
  CHECK(std::isnan(log_spectral_distance(spectrum.mean(), std::vector<double>{1, 1, 1})));
  CHECK(std::isnan(log_spectral_distance(std::vector<double>{1, 1, 1}, spectrum.mean())));
}
