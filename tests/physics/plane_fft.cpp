#include "lacuna/physics/plane_fft.hpp"

#include <complex>
#include <numbers>

#include "catch.hpp"
#include "support/compare.hpp"
#include "support/fill.hpp"
#include "support/tolerances.hpp"

using namespace lacuna;
using namespace lacuna::physics;

namespace {

ComplexPlane random_plane(int n, std::uint64_t stream) {
  ComplexPlane out(n);
  out.re = test::normals<double>(out.re.size(), stream);
  out.im = test::normals<double>(out.im.size(), stream + 1);
  return out;
}

/// The definition, for modes of the band.
ComplexPlane plain_to_space(const ComplexPlane& spectrum, int n, int band) {
  ComplexPlane out(n);
  for (int y = 0, at = 0; y < n; ++y)
    for (int x = 0; x < n; ++x, ++at) {
      std::complex<double> sum = 0;
      for (int ky = 0, k = 0; ky < n; ++ky)
        for (int kx = 0; kx < n; ++kx, ++k) {
          if (std::abs(wavenumber(ky, n)) > band || std::abs(wavenumber(kx, n)) > band) continue;
          const auto i = static_cast<std::size_t>(k);
          sum += std::complex(spectrum.re[i], spectrum.im[i]) * std::polar(1.0, 2 * std::numbers::pi * (ky * y + kx * x) / n);
        }
      out.re[static_cast<std::size_t>(at)] = sum.real();
      out.im[static_cast<std::size_t>(at)] = sum.imag();
    }
  return out;
}

}  // namespace

TEST_CASE("Wavenumbers have the usual order") {
  std::vector<int> even, odd;
  for (int i = 0; i < 4; ++i) even.push_back(wavenumber(i, 4));
  for (int i = 0; i < 5; ++i) odd.push_back(wavenumber(i, 5));
  CHECK(even == std::vector<int>{0, 1, -2, -1});
  CHECK(odd == std::vector<int>{0, 1, 2, -2, -1});
}

TEST_CASE("A single mode is a plane wave") {
  PlaneFft fft(4);
  ComplexPlane spectrum(4), space(4);
  spectrum.re[1 * 4 + 2] = 3;  // ky = 1, kx = -2
  fft.to_space(spectrum, space);
  for (int y = 0; y < 4; ++y)
    for (int x = 0; x < 4; ++x) {
      const auto wave = 3.0 * std::polar(1.0, std::numbers::pi / 2 * (y - 2 * x));
      CHECK(space.re[static_cast<std::size_t>(4 * y + x)] == Approx(wave.real()).margin(1e-14));
      CHECK(space.im[static_cast<std::size_t>(4 * y + x)] == Approx(wave.imag()).margin(1e-14));
    }
}

TEST_CASE("The transform follows its definition on every kind of size, within its band") {
  const int n = GENERATE(2, 3, 5, 8, 12, 16, 31);
  const int band = GENERATE(0, 1, 2, 5, 64);
  CAPTURE(n, band);
  PlaneFft fft(n, band);
  const ComplexPlane spectrum = random_plane(n, 1), space = random_plane(n, 3);
  ComplexPlane out = random_plane(n, 5);
  fft.to_space(spectrum, out);
  const ComplexPlane expected = plain_to_space(spectrum, n, band);
  CHECK(test::relative_difference(out.re, expected.re) < test::tolerance::double_sum);
  CHECK(test::relative_difference(out.im, expected.im) < test::tolerance::double_sum);

  // to_spectrum is the adjoint over n^2: <space, to_space(spectrum)> = n^2 <to_spectrum(space), spectrum>.
  ComplexPlane back = random_plane(n, 7);
  fft.to_spectrum(space, back);
  std::complex<double> a = 0, b = 0;
  for (std::size_t i = 0; i < out.re.size(); ++i) {
    a += std::conj(std::complex(space.re[i], space.im[i])) * std::complex(out.re[i], out.im[i]);
    b += std::conj(std::complex(back.re[i], back.im[i])) * std::complex(spectrum.re[i], spectrum.im[i]);
  }
  CHECK(std::abs(a - b * static_cast<double>(n * n)) < 1e-12 * n * n * n);
  for (int ky = 0; ky < n; ++ky)
    for (int kx = 0; kx < n; ++kx)
      if (std::abs(wavenumber(ky, n)) > band || std::abs(wavenumber(kx, n)) > band) {
        CHECK(back.re[static_cast<std::size_t>(ky * n + kx)] == 0);
        CHECK(back.im[static_cast<std::size_t>(ky * n + kx)] == 0);
      }
}

TEST_CASE("There and back is the identity, and NaN is not hidden") {
  const int n = GENERATE(8, 33, 64);
  PlaneFft fft(n);
  const ComplexPlane start = random_plane(n, 11);
  ComplexPlane spectrum(n), end(n);
  fft.to_spectrum(start, spectrum);
  fft.to_space(spectrum, end);
  CHECK(test::relative_difference(end.re, start.re) < test::tolerance::double_sum);
  CHECK(test::relative_difference(end.im, start.im) < test::tolerance::double_sum);
  spectrum.re[3] = test::nan<double>;
  fft.to_space(spectrum, end);
  for (const double x : end.re) CHECK(std::isnan(x));
}

TEST_CASE("A plane needs two points") { CHECK_THROWS_AS(PlaneFft(1), ShapeError); }
