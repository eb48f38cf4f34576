#include "lacuna/physics/random_modes.hpp"

#include "catch.hpp"

using namespace lacuna;
using namespace lacuna::physics;

namespace {

const auto white = [](double) { return 1.0; };
const PhiloxKey key = philox_key(7, Purpose::generate);

}  // namespace

TEST_CASE("Random modes are a real field without mean") {
  const int n = GENERATE(9, 16);
  const ComplexPlane modes = random_modes(n, 4, white, key, 3);
  ComplexPlane space(n);
  PlaneFft(n).to_space(modes, space);
  double sum = 0, largest = 0;
  for (std::size_t i = 0; i < space.re.size(); ++i) {
    sum += space.re[i];
    largest = std::max(largest, std::abs(space.re[i]));
    CHECK(std::abs(space.im[i]) < 1e-13);
  }
  CHECK(std::abs(sum) < 1e-12);
  CHECK(largest > 1);
}

TEST_CASE("The amplitude decides the mean square of a mode") {
  constexpr int samples = 400;
  double k1 = 0, k5 = 0;
  for (std::uint64_t s = 0; s < samples; ++s) {
    const ComplexPlane modes = random_modes(
        16, 5, [](double k) { return k > 4.5 ? 2.0 : 1.0; }, key, s);
    k1 += modes.re[1] * modes.re[1] + modes.im[1] * modes.im[1];
    const std::size_t i = 3 * 16 + 16 - 4;  // ky = 3, kx = -4
    k5 += modes.re[i] * modes.re[i] + modes.im[i] * modes.im[i];
  }
  CHECK(k1 / samples == Approx(1).margin(0.2));  // four standard errors
  CHECK(k5 / samples == Approx(4).margin(0.8));
}

TEST_CASE("A finer grid holds the same modes; samples and seeds differ") {
  const ComplexPlane coarse = random_modes(12, 3, white, key, 5), fine = random_modes(24, 3, white, key, 5);
  for (int ky = -3; ky <= 3; ++ky)
    for (int kx = -3; kx <= 3; ++kx) {
      const auto c = static_cast<std::size_t>((ky + 12) % 12 * 12 + (kx + 12) % 12);
      const auto f = static_cast<std::size_t>((ky + 24) % 24 * 24 + (kx + 24) % 24);
      CHECK(coarse.re[c] == fine.re[f]);
      CHECK(coarse.im[c] == fine.im[f]);
    }
  CHECK(coarse.re != random_modes(12, 3, white, key, 6).re);
  CHECK(coarse.re != random_modes(12, 3, white, philox_key(8, Purpose::generate), 5).re);
}

TEST_CASE("A band that the grid cannot show is an error") { CHECK_THROWS_AS(random_modes(8, 4, white, key, 0), ShapeError); }
