#include "sampler_update.cuh"

#include "catch.hpp"
#include "cuda_emulation/buffer.hpp"
#include "kernels/orders.hpp"
#include "lacuna/schedule/variance_preserving.hpp"
#include "support/compare.hpp"
#include "support/fill.hpp"
#include "support/tolerances.hpp"

using namespace lacuna;
using cuda_emulation::Buffer;

namespace {

/// The paper's formula in double; the library has no CPU sampler of several steps to compare with.
std::vector<double> expected_update(const std::vector<float>& x, const std::vector<float>& estimate,
                                    const std::vector<std::uint8_t>& observed, const std::vector<float>& values, double s,
                                    double t) {
  const schedule::VariancePreserving schedule;
  std::vector<double> out(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto x0 = static_cast<double>(observed[i] != 0 ? values[i] : estimate[i]);
    const double eps = (static_cast<double>(x[i]) - schedule.alpha(s) * x0) / schedule.sigma(s);
    out[i] = schedule.alpha(t) * x0 + schedule.sigma(t) * eps;
  }
  return out;
}

kernels::SamplerStep step_between(double s, double t) {
  const schedule::VariancePreserving schedule;
  return kernels::SamplerStep::between(schedule.alpha(s), schedule.sigma(s), schedule.alpha(t), schedule.sigma(t));
}

}  // namespace

TEST_CASE("Sampler update kernel: is the noise at s carried to t, in place or not, in every order") {
  for (const std::size_t size : {1u, 3u, 33u, 1025u, 3000u})
    for (const std::size_t offset : {0u, 1u}) {
      const auto x_s = test::normals<float>(size, 1), estimate = test::normals<float>(size, 2),
                 values = test::normals<float>(size, 3);
      const auto observed = test::coins(size, 0.3f, 4);
      const auto expected = expected_update(x_s, estimate, observed, values, 0.8, 0.3);
      test::in_every_order([&] {
        Buffer<float> from(x_s, offset), e(estimate, offset), v(values, offset), to(size, offset);
        Buffer<std::uint8_t> seen(observed, offset);
        kernels::sampler_update({}, from, e, seen, v, size, step_between(0.8, 0.3), to);
        CHECK(test::relative_difference(to.content(), expected) < test::tolerance::kernel);
        CHECK(to.intact());
        kernels::sampler_update({}, from, e, seen, v, size, step_between(0.8, 0.3), from);
        CHECK(from.content() == to.content());
      });
    }
}

TEST_CASE("Sampler update kernel: what the mask hides may be NaN") {
  for (const std::size_t size : {512u, 511u}) {
    const auto x_s = test::normals<float>(size, 1);
    auto estimate = test::normals<float>(size, 2), values = test::normals<float>(size, 3);
    const auto observed = test::coins(size, 0.5f, 4);
    const auto run = [&] {
      Buffer<float> from(x_s), e(estimate), v(values), to(size);
      Buffer<std::uint8_t> seen(observed);
      kernels::sampler_update({}, from, e, seen, v, size, step_between(0.5, 0.1), to);
      return to.content();
    };
    const auto clean = run();
    for (std::size_t i = 0; i < size; ++i) (observed[i] != 0 ? estimate : values)[i] = test::nan<float>;
    CHECK(run() == clean);
    CHECK(test::all_finite(clean));
  }
}
