#include "lacuna/core/simd.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include "catch.hpp"
#include "support/fill.hpp"

using namespace lacuna;
using simd::Floats;

namespace {

constexpr auto lanes = static_cast<std::size_t>(simd::lanes);
constexpr float infinity = std::numeric_limits<float>::infinity();

/// f of every element; the size is a multiple of the lanes.
std::vector<float> exp_of(const std::vector<float>& x) {
  std::vector<float> y(x.size());
  for (std::size_t i = 0; i < x.size(); i += lanes) simd::store(y.data() + i, simd::exp(simd::load(x.data() + i)));
  return y;
}
std::vector<float> sigmoid_of(const std::vector<float>& x) {
  std::vector<float> y(x.size());
  for (std::size_t i = 0; i < x.size(); i += lanes) simd::store(y.data() + i, simd::sigmoid(simd::load(x.data() + i)));
  return y;
}

std::vector<float> sqrt_of(const std::vector<float>& x) {
  std::vector<float> y(x.size());
  for (std::size_t i = 0; i < x.size(); i += lanes) simd::store(y.data() + i, simd::sqrt(simd::load(x.data() + i)));
  return y;
}
double square_sum_of(const std::vector<float>& x) {
  simd::SquareSum sum;
  for (std::size_t i = 0; i < x.size(); i += lanes) sum.add(simd::load(x.data() + i));
  return sum.total();
}

struct SquareKernel {
  const float* x;
  float* y;
  LACUNA_KERNEL void operator()() const {
    const Floats v = simd::load(x);
    simd::store(y, v * v + 1.0f);
  }
};

void copy_lanes(const float* from, float* to) { simd::store(to, simd::load(from)); }
float sum_of_lanes(const float* x) { return simd::sum(simd::load(x)); }
void select_lanes(const std::uint8_t* choice, const float* a, const float* b, float* y) {
  simd::store(y, simd::select(simd::load_bytes(choice), simd::load(a), simd::load(b)));
}

}  // namespace

TEST_CASE("simd: load and store at any address move sixteen floats and no more") {
  const auto x = test::normals<float>(17, 1);
  test::Guarded<float> y(lanes);
  copy_lanes(x.data() + 1, y.data());
  CHECK(y.intact());
  CHECK(y.content() == std::vector<float>(x.begin() + 1, x.end()));
}

TEST_CASE("simd: select takes each lane from one side, whatever is on the other") {
  std::vector<std::uint8_t> choice(lanes);
  for (std::size_t i = 0; i < lanes; ++i) choice[i] = i % 3 == 0 ? 1 : 0;
  choice[3] = 200;  // any byte but zero is a choice
  std::vector<float> a(lanes, 2.0f), b(lanes, test::nan<float>), y(lanes);
  for (std::size_t i = 0; i < lanes; ++i)
    if (choice[i] == 0) std::swap(a[i], b[i]);
  select_lanes(choice.data(), a.data(), b.data(), y.data());
  CHECK(y == std::vector<float>(lanes, 2.0f));
}

TEST_CASE("simd: the sum of the lanes is a tree by halves") {
  const auto x = test::normals<float>(lanes, 2);
  std::vector<float> tree = x;
  for (std::size_t half = lanes / 2; half > 0; half /= 2)
    for (std::size_t i = 0; i < half; ++i) tree[i] += tree[i + half];
  CHECK(sum_of_lanes(x.data()) == tree[0]);
}

TEST_CASE("simd: exp is within three ulps over its range, clamped beyond it, and NaN for NaN") {
  std::vector<float> x;
  for (int i = -87 * 64; i <= 87 * 64; ++i) x.push_back(static_cast<float>(i) / 64.0f + 0.003f * static_cast<float>(i % 5));
  x.resize(x.size() / lanes * lanes);
  for (float& v : x) v = std::min(87.0f, std::max(-87.0f, v));
  const auto y = exp_of(x);
  double worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double exact = std::exp(static_cast<double>(x[i]));
    worst = std::max(worst, std::abs(static_cast<double>(y[i]) - exact) / exact);
  }
  CHECK(worst < 3 * 0x1p-23);

  std::vector<float> special(lanes, 0.0f);
  special[1] = infinity, special[2] = -infinity, special[3] = test::nan<float>, special[4] = 1e30f, special[5] = -100.0f;
  const auto z = exp_of(special);
  CHECK(z[0] == 1.0f);
  CHECK((std::isfinite(z[1]) && z[1] > 6e37f && z[1] == z[4]));
  CHECK((z[2] > 0.0f && z[2] < 2e-38f && z[2] == z[5]));
  CHECK(std::isnan(z[3]));
}

TEST_CASE("simd: sqrt is within two ulps over the normal floats, 0 at 0, and NaN for NaN") {
  std::vector<float> x;
  for (int exponent = -126; exponent < 128; ++exponent)
    for (int i = 0; i < 16; ++i) x.push_back(std::ldexp(1.0f + static_cast<float>(i) / 16.3f, exponent));
  const auto y = sqrt_of(x);
  double worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double exact = std::sqrt(static_cast<double>(x[i]));
    worst = std::max(worst, std::abs(static_cast<double>(y[i]) - exact) / exact);
  }
  CHECK(worst < 2 * 0x1p-23);

  std::vector<float> special(lanes, 1.0f);
  special[1] = 0.0f, special[2] = 1e-44f, special[3] = test::nan<float>;
  const auto z = sqrt_of(special);
  CHECK(z[0] == Approx(1.0f).epsilon(2e-7));
  CHECK(z[1] == 0.0f);
  CHECK((z[2] >= 0.0f && z[2] < 2e-22f));
  CHECK(std::isnan(z[3]));
}

TEST_CASE("simd: squares are summed in double, past the range of float") {
  auto x = test::normals<float>(32 * lanes, 4);
  double exact = 0;
  for (const float v : x) exact += static_cast<double>(v) * static_cast<double>(v);
  CHECK(square_sum_of(x) == Approx(exact).epsilon(1e-14));
  x.assign(lanes, 1e30f);
  CHECK(square_sum_of(x) == Approx(16e60).epsilon(1e-6));
}

TEST_CASE("simd: sigmoid saturates without NaN and lets NaN through") {
  std::vector<float> x(lanes, 0.0f);
  x[1] = 3.5f, x[2] = -3.5f, x[3] = 1e10f, x[4] = -1e10f, x[5] = infinity, x[6] = -infinity, x[7] = test::nan<float>;
  const auto y = sigmoid_of(x);
  CHECK(y[0] == 0.5f);
  CHECK(y[1] == Approx(1.0 / (1.0 + std::exp(-3.5))).epsilon(1e-6));
  CHECK(y[2] == Approx(1.0 / (1.0 + std::exp(3.5))).epsilon(1e-6));
  CHECK((y[3] == 1.0f && y[5] == 1.0f));
  CHECK((y[4] >= 0.0f && y[4] < 1e-37f && y[6] < 1e-37f));
  CHECK(std::isnan(y[7]));
}

TEST_CASE("simd: a kernel gives the same on every instruction set this machine has") {
  const auto x = test::normals<float>(lanes, 3);
  test::Guarded<float> baseline(lanes), best(lanes);
  simd::run_baseline(SquareKernel{x.data(), baseline.data()});
  simd::run(SquareKernel{x.data(), best.data()});
  CHECK((baseline.intact() && best.intact()));
  const auto a = baseline.content(), b = best.content();
  for (std::size_t i = 0; i < lanes; ++i) CHECK(a[i] == Approx(b[i]).epsilon(1e-6));
#if defined(__x86_64__)
  if (simd::level() != simd::Level::baseline) {
    test::Guarded<float> v3(lanes);
    simd::run_v3(SquareKernel{x.data(), v3.data()});
    CHECK(v3.content() == b);
  }
#endif
}
