#include "sampler_update.cuh"

#include "catch.hpp"
#include "cuda_emulation/buffer.hpp"
#include "kernels/orders.hpp"
#include "lacuna/sampler/update.hpp"
#include "lacuna/schedule/variance_preserving.hpp"
#include "support/compare.hpp"
#include "support/fill.hpp"
#include "support/tolerances.hpp"

using namespace lacuna;
using cuda_emulation::Buffer;

namespace {

using Weights = sampler::UpdateWeights<float>;

/// Arrays of an update; what the mask hides is NaN, unless asked otherwise.
struct Case {
  std::vector<float> state, estimate, other, noise, known;
  std::vector<std::uint8_t> observed;

  explicit Case(std::size_t size, bool poisoned = true)
      : state(test::normals<float>(size, 1)),
        estimate(test::normals<float>(size, 2)),
        other(test::normals<float>(size, 3)),
        noise(test::normals<float>(size, 4)),
        known(test::normals<float>(size, 5)),
        observed(test::coins(size, 0.4f, 6)) {
    for (std::size_t i = 0; i < size && poisoned; ++i) {
      (observed[i] != 0 ? estimate : known)[i] = test::nan<float>;
      if (observed[i] != 0) other[i] = test::nan<float>;
    }
  }
  std::size_t size() const { return state.size(); }
};

std::vector<float> on_cpu(const Case& c, const Weights& w) {
  std::vector<float> out(c.size());
  CHECK(sampler::update<float>(
      w, {c.state.data(), c.estimate.data(), c.other.data(), c.noise.data(), c.known.data(), c.observed.data(), out.data()},
      c.size()));
  return out;
}

/// Arrays of weight 0 are null.
std::vector<float> on_gpu(const Case& c, const Weights& w, std::size_t offset, bool in_place = false) {
  Buffer<float> state(c.state, offset), estimate(c.estimate, offset), other(c.other, offset), noise(c.noise, offset),
      known(c.known, offset), out(c.size(), offset);
  Buffer<std::uint8_t> observed(c.observed, offset);
  float* const to = in_place ? state.data() : out.data();
  kernels::sampler_update(
      {}, w, {state, estimate, w.other != 0 ? other.data() : nullptr, w.noise != 0 ? noise.data() : nullptr, known, observed, to},
      c.size());
  CHECK((state.intact() && out.intact()));
  return in_place ? state.content() : out.content();
}

}  // namespace

TEST_CASE("Sampler update kernel: agrees with the CPU whatever the mask hides, in place or not, in every order") {
  for (const std::size_t size : {1u, 3u, 33u, 1025u, 3000u})
    for (const Weights& w : {Weights{0.3f, -0.7f, 0.2f, 1.1f}, Weights{0.9f, 0.1f, -0.2f, 0}, Weights{0.9f, 0.1f, 0, 0}}) {
      const Case c(size);
      const auto expected = on_cpu(c, w);
      for (const std::size_t offset : {0u, 1u})
        test::in_every_order([&] {
          INFO(size << " elements, offset " << offset);
          const auto given = on_gpu(c, w, offset);
          CHECK(test::relative_difference(given, expected) < test::tolerance::kernel);
          CHECK(on_gpu(c, w, offset, true) == given);
        });
    }
}

TEST_CASE("Sampler update kernel: with the first-order weights the noise at s is carried to t") {
  const schedule::VariancePreserving schedule;
  const double s = 0.8, t = 0.3, ratio = schedule.sigma(t) / schedule.sigma(s);
  const Case c(500);
  std::vector<double> expected(c.size());
  for (std::size_t i = 0; i < c.size(); ++i) {
    const auto x0 = static_cast<double>(c.observed[i] != 0 ? c.known[i] : c.estimate[i]);
    const double eps = (static_cast<double>(c.state[i]) - schedule.alpha(s) * x0) / schedule.sigma(s);
    expected[i] = schedule.alpha(t) * x0 + schedule.sigma(t) * eps;
  }
  const Weights w{.state = static_cast<float>(ratio),
                  .estimate = static_cast<float>(schedule.alpha(t) - schedule.alpha(s) * ratio)};
  CHECK(test::relative_difference(on_gpu(c, w, 0), expected) < test::tolerance::kernel);
}

TEST_CASE("Sampler update kernel: what the mask hides changes no bit, and NaN that is not hidden shows") {
  const Weights w{0.3f, -0.7f, 0.2f, 1.1f};
  Case c(511);
  const auto clean = on_gpu(Case(511, false), w, 0);
  CHECK(on_gpu(c, w, 0) == clean);
  c.noise[100] = test::nan<float>;
  const auto given = on_gpu(c, w, 0);
  for (std::size_t i = 0; i < given.size(); ++i) CHECK((i == 100 ? std::isnan(given[i]) : given[i] == clean[i]));
}
