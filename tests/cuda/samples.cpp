// Batches that a GPU assembles of the host's samples, against the CPU's. Runs on the emulation, and where there is one on a GPU.
#include "lacuna/cuda/samples.hpp"

#include "catch.hpp"
#include "cuda/devices.hpp"
#include "lacuna/baseline/classical_background.hpp"
#include "lacuna/cuda/engine.hpp"
#include "lacuna/mask/any_policy.hpp"
#include "lacuna/nn/unet.hpp"
#include "lacuna/train/trainer.hpp"
#include "support/waves.hpp"

using namespace lacuna;
using baseline::BackgroundKind;

namespace {

/// A small UNet that keeps what it is shown.
struct Watched {
  nn::UNet network;
  float* seen;  ///< the input of a step

  static void keep(Graph<float>&, const Variable<float>& x, float* to) { std::copy_n(x.data, x.shape.size(), to); }
  static void keep(Graph<float, cuda::Device>& graph, const Variable<float>& x, float* to) {
    cuda::enqueue_copy(graph.device().stream(), to, static_cast<const float*>(x.data), x.shape.size(), cudaMemcpyDeviceToHost);
  }
  template <class D>
  auto operator()(Graph<float, D>& graph, const Variable<float>& x, const float* times) const {
    if (!graph.dry()) keep(graph, x, seen);
    return network(graph, x, times);
  }
};

/// Training on waves of two variables over more than a year.
template <class Policy, class Matching, class Device>
struct Run {
  static constexpr int batch = 3, crop = 8;

  train::InputLayout layout;
  Parameters<float> parameters;
  cuda::PinnedArray<float> seen;
  Watched network;
  train::Trainer<Watched, Policy, schedule::VariancePreserving, Matching, Device> trainer;

  Run(Device& device, const train::Samples& samples, const Policy& policy)
      : layout(train::input_layout(samples, mask::shows_query<Policy>)),
        seen(static_cast<std::size_t>(batch * crop * crop * layout.channels())),
        network{nn::UNet({.inputs = layout.channels(), .outputs = layout.fields(), .hidden = 4, .multipliers = {1, 2}},
                         parameters, 1),
                seen.data()},
        trainer(device, samples, network, parameters, policy, {0.8f, 1.2f}, {.batch = batch, .crop = crop, .optimizer = {}}) {}

  std::vector<float> input() const { return {seen.data(), seen.data() + seen.size()}; }
};

data::Fields yearly_waves(waves::Gaps gaps) {
  auto f = waves::make(24, 2, gaps, 0.6f);
  f.time_units = "days since 2001-01-01";
  for (double& t : f.time) t *= 20;
  for (auto& x : f.values) x = (x - 5.0f) / 1.4f;
  return f;
}

/// Twenty steps: the first is enqueued, the second captured, and the others are launches. They are small, since Adam makes much
/// of gradients near nothing, of which these networks for a few cells have many.
template <class Matching, class Policy>
void check_same(const train::Samples& samples, const Policy& policy) {
  cpu::Device cpu({.threads = 2});
  cuda::Device gpu({.threads = 2, .arena_bytes = std::size_t{64} << 20});
  Run<Policy, Matching, cpu::Device> a(cpu, samples, policy);
  Run<Policy, Matching, cuda::Device> b(gpu, samples, policy);
  for (int step = 0; step < 20; ++step) {
    CAPTURE(step);
    const double expected = a.trainer.step(1e-4), given = b.trainer.step(1e-4);
    CHECK(given == Approx(expected).epsilon(1e-4));
    CHECK((b.input() == a.input()));
  }
}

}  // namespace

TEST_CASE("a batch assembled on a GPU: contexts and noise are the CPU's bit for bit, losses its own, for every policy") {
  if (!test::gpu()) return;
  using namespace schedule;
  const auto fields = yearly_waves(waves::Gaps::pixels);
  const train::Samples plain(fields, {}, {});
  check_same<DataMatching>(plain, mask::Pixels{});
  check_same<NoiseMatching>(plain, mask::Pixels{});
  check_same<VelocityMatching>(plain, mask::AmbientDiff<mask::Pixels>{mask::Pixels::random_ratio()});
  check_same<NoiseMatching>(plain, mask::MissDiff{});
  check_same<NoiseMatching>(plain, mask::ProbabilisticField<mask::Pixels>{});
  const train::Samples climatology(fields, {}, baseline::ClassicalBackground(BackgroundKind::climatology, {}));
  check_same<VelocityMatching>(climatology, mask::Pixels::random_ratio());
  check_same<DataMatching>(climatology, mask::Empirical(climatology.windows()));
}

TEST_CASE("a batch assembled on a GPU: with a kriging background, blocks and policies that are chosen at run time") {
  if (!test::gpu()) return;
  using namespace schedule;
  const auto fields = yearly_waves(waves::Gaps::blocks);
  const baseline::Correlation correlation{.length = 3};
  const train::Samples samples(fields, {},
                               baseline::ClassicalBackground(BackgroundKind::kriging, {.values = {correlation, correlation}}));
  REQUIRE(train::input_layout(samples) ==
          train::InputLayout{.frames = 3, .variables = 2, .background = true, .climate = true, .place = 3, .season = 2});
  check_same<DataMatching>(samples, mask::Blocks{});
  check_same<VelocityMatching>(samples, mask::ProbabilisticField<mask::Blocks>{});
  check_same<DataMatching>(samples, mask::LostPlanes<mask::AnyPolicy>{mask::AnyPolicy{mask::Blocks{}}, 0.5f, 0.5f});
}
