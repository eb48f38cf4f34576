// Networks whose blocks are computed again on the way back: the same numbers from less memory.

#include "catch.hpp"
#include "lacuna/nn/fno.hpp"
#include "lacuna/nn/space_time_unet.hpp"
#include "lacuna/nn/unet.hpp"
#include "support/probe.hpp"

using namespace lacuna;
using cpu::Convolutions;

namespace {

#ifdef LACUNA_HAS_ONEDNN
constexpr Convolutions paths[] = {Convolutions::eigen, Convolutions::onednn};
#else
constexpr Convolutions paths[] = {Convolutions::eigen};
#endif

template <class Network, class T>
struct Case {
  Case(typename Network::Settings settings, Convolutions path, bool recompute)
      : device({.threads = 2, .convolutions = path}), network(with(settings, recompute), parameters, 3) {}

  static typename Network::Settings with(typename Network::Settings settings, bool recompute) {
    settings.recompute = recompute;
    return settings;
  }
  auto apply() const {
    return [this](Graph<T>& graph, const auto& x) { return network(graph, x[0], times); };
  }
  std::size_t high_water(const Shape& shape, bool dry) {
    device.release();
    Graph<T> graph(device, parameters, Mode::train, dry);
    const auto x = graph.make(shape);
    if (!dry) std::fill_n(x.data, shape.size(), T(0.5));
    const auto y = network(graph, x, times);
    T* gradient = graph.take(y.shape.size());
    if (!dry) std::fill_n(gradient, y.shape.size(), T(1));
    graph.contribute(y, gradient);
    graph.backward();
    return device.arena().high_water();
  }

  cpu::Device device;
  Parameters<T> parameters;
  Network network;
  T times[2] = {T(0.9), T(0.02)};
};

template <class Network, class T>
void check(const typename Network::Settings& settings, Shape shape, Convolutions path) {
  INFO(shape);
  shape.channels = settings.inputs;
  Case<Network, T> kept(settings, path, false), again(settings, path, true);
  const std::vector operands{test::random_operand<T>(shape, 1)};
  CHECK(test::train_pass(kept.device, kept.parameters, operands, kept.apply()) ==
        test::train_pass(again.device, again.parameters, operands, again.apply()));
  CHECK(test::infer_pass(kept.device, kept.parameters, operands, kept.apply()) ==
        test::infer_pass(again.device, again.parameters, operands, again.apply()));
  const auto planned = again.high_water(shape, true);
  CHECK(again.high_water(shape, false) == planned);
  CHECK(planned < kept.high_water(shape, true));
}

template <class Network>
void check_all(const typename Network::Settings& settings, const Shape& shape) {
  check<Network, double>(settings, shape, Convolutions::eigen);
  for (const auto path : paths) check<Network, float>(settings, shape, path);
}

}  // namespace

TEST_CASE("Recomputation changes neither results nor gradients by a bit, takes less memory, and is planned") {
  for (const int size : {12, 13}) {
    check_all<nn::UNet>({.hidden = 8}, {.batch = 2, .height = size, .width = 12});
    check_all<nn::SpaceTimeUNet>({.hidden = 8}, {.batch = 2, .frames = 3, .height = size, .width = 12});
    check_all<nn::Fno>({.hidden = 8, .modes = {6, 6}}, {.batch = 2, .height = size, .width = 12});
    check_all<nn::Fno>({.hidden = 8, .modes = {3, 6, 6}}, {.batch = 2, .frames = 3, .height = size, .width = 12});
  }
}
