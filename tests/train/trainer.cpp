#include "lacuna/train/trainer.hpp"

#include <algorithm>
#include <limits>

#include "catch.hpp"
#include "lacuna/mask/pixels.hpp"
#include "lacuna/nn/fno.hpp"
#include "lacuna/nn/unet.hpp"
#include "support/waves.hpp"

using namespace lacuna;
using train::Samples;

namespace {

/// A small network on normalised waves.
template <class Network>
struct NetworkSetting {
  Samples samples;
  cpu::Device device;
  Parameters<float> parameters;
  Network network;
  train::Trainer<Network, mask::Pixels> trainer;

  explicit NetworkSetting(const data::Fields& f, int crop = 0, std::uint64_t seed = 1, typename Network::Settings settings = {})
      : samples(f, {}, {}),
        device({.threads = 2}),
        network(fitted(settings, train::input_layout(samples)), parameters, 1),
        trainer(device, samples, network, parameters, mask::Pixels::random_ratio(), {1.0f},
                {.batch = 4, .crop = crop, .seed = seed, .optimizer = {}}) {}

  static typename Network::Settings fitted(typename Network::Settings settings, const train::InputLayout& layout) {
    settings.inputs = layout.channels();
    settings.outputs = layout.fields();
    settings.hidden = 4;
    return settings;
  }
};
using Setting = NetworkSetting<nn::UNet>;

data::Fields normalised_waves() {
  auto f = waves::make(24, 1, waves::Gaps::pixels);
  for (auto& x : f.values) x = (x - 5.0f) / 1.4f;
  return f;
}

/// The last ten of 240 steps' loss as a fraction of the first ten's, which is that of a network that knows nothing.
template <class Network>
double loss_left(NetworkSetting<Network>& s) {
  double first = 0, last = 0;
  for (int step = 0; step < 240; ++step) {
    const double loss = s.trainer.step(3e-3);
    (step < 10 ? first : last) += step < 10 || step >= 230 ? loss / 10 : 0.0;
  }
  CHECK(first > 0.8);
  return last / first;
}

}  // namespace

TEST_CASE("training lowers the loss on incomplete data") {
  Setting s(normalised_waves());
  CHECK(loss_left(s) < 0.6);
}

TEST_CASE("a Fourier neural operator trains in the UNet's place") {
  NetworkSetting<nn::Fno> s(normalised_waves(), 0, 1, {.modes = {4, 4}, .layers = 2});
  CHECK(loss_left(s) < 0.8);  // two layers of 4 x 4 modes: slower than the UNet, 0.71 when written
}

TEST_CASE("steps repeat bit for bit, and depend on the seed") {
  const auto f = normalised_waves();
  Setting a(f), b(f), c(f, 0, 2);
  for (int step = 0; step < 3; ++step) {
    const double loss = a.trainer.step(1e-3);
    CHECK(loss == b.trainer.step(1e-3));
    CHECK(loss != c.trainer.step(1e-3));
  }
  CHECK(a.parameters.values() == b.parameters.values());
}

TEST_CASE("a plan takes the memory that a step takes") {
  Setting s(normalised_waves(), 10);
  s.trainer.plan();
  const auto planned = s.device.arena().high_water();
  CHECK(planned > 0);
  s.trainer.step(1e-3);
  s.trainer.step(1e-3);
  CHECK(s.device.arena().high_water() == planned);
}

TEST_CASE("crops of a grid smaller than the crop are the grid") {
  Setting s(normalised_waves(), 500);
  CHECK(std::isfinite(s.trainer.step(1e-3)));
}

TEST_CASE("training that diverges stops with a message and leaves the parameters as they were") {
  Setting s(normalised_waves());
  s.parameters.values()[0] = std::numeric_limits<float>::infinity();
  const auto before = s.parameters.values();
  CHECK_THROWS_WITH(s.trainer.step(1e-3), Catch::Matchers::Contains("diverged at step 1"));
  CHECK(s.parameters.values() == before);
}

TEST_CASE("times are drawn up to the latest one, all of them by default") {
  struct Watched {
    nn::UNet network;
    float* latest;
    Variable<float> operator()(Graph<float>& g, const Variable<float>& input, const float* times) const {
      for (int b = 0; b < input.shape.batch; ++b) *latest = std::max(*latest, times[b]);
      return network(g, input, times);
    }
  };
  Setting s(normalised_waves());
  const auto latest_of = [&](double latest_time) {
    float latest = 0;
    const Watched network{s.network, &latest};
    train::Trainer<Watched, mask::Pixels> trainer(s.device, s.samples, network, s.parameters, mask::Pixels{}, {1.0f},
                                                  {.batch = 4, .latest_time = latest_time, .optimizer = {}});
    for (int step = 0; step < 10; ++step) trainer.step(1e-3);
    return latest;
  };
  CHECK(latest_of(train::TrainerSettings{}.latest_time) > 0.8f);
  CHECK(latest_of(0.1) <= 0.1f);
  CHECK(latest_of(0.1) > 0.08f);
  CHECK(latest_of(schedule::smallest_time) == Approx(schedule::smallest_time));
  CHECK_THROWS_AS(latest_of(0.0), OptionError);
  CHECK_THROWS_AS(latest_of(1.1), OptionError);
}

TEST_CASE("a batch of nothing is refused") {
  const auto f = normalised_waves();
  Setting s(f);
  using Trainer = train::Trainer<nn::UNet, mask::Pixels>;
  CHECK_THROWS_AS(Trainer(s.device, s.samples, s.network, s.parameters, mask::Pixels{}, {1.0f}, {.batch = 0, .optimizer = {}}),
                  OptionError);
}
