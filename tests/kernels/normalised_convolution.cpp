#include "normalised_convolution.cuh"

#include "catch.hpp"
#include "cuda_emulation/buffer.hpp"
#include "kernels/orders.hpp"
#include "kernels/scalars.hpp"
#include "lacuna/ops/normalised_convolution.hpp"
#include "support/compare.hpp"

using namespace lacuna;
using cuda_emulation::Buffer;

namespace {

/// The CPU's steps on an image of some cells.
template <class S>
struct OnCpu {
  cpu::Device device{{.threads = 1}};
  Parameters<float> none;
  Graph<float> graph{device, none, Mode::infer};
  Variable<S> input;

  OnCpu(const std::vector<S>& values, std::size_t cells, int channels)
      : input(graph.make<S>({.width = static_cast<int>(cells), .channels = channels})) {
    std::copy(values.begin(), values.end(), input.data);
  }
};

}  // namespace

TEMPLATE_TEST_CASE("Normalised convolution kernels: channels are taken and ratios appended as the CPU does, bit for bit", "",
                   float, Bfloat16) {
  using S = TestType;
  for (const std::size_t cells : {1u, 31u, 700u})
    for (const auto& [channels, fields] : {std::pair{2, 1}, std::pair{5, 2}, std::pair{16, 4}}) {
      const auto in = static_cast<std::size_t>(channels), f = static_cast<std::size_t>(fields);
      const auto x = test::as<S>(test::normals<float>(cells * in, 1));
      auto smooth = test::normals<float>(cells * 2 * f, 2);
      smooth[0] = test::nan<float>;  // a weight
      smooth.back() = test::nan<float>;
      OnCpu<S> cpu(x, cells, channels);
      std::vector<float> taken(cells * 2 * f);
      std::vector<S> appended(cells * (in + f));
      ops::leading_channels(cpu.graph, cpu.input, 2 * fields, taken.data());
      ops::append_ratios(cpu.graph, cpu.input, smooth.data(), fields, appended.data());
      for (const std::size_t offset : {0u, 1u})
        test::in_every_order([&] {
          Buffer<S> from(x, offset), y(appended.size(), offset);
          Buffer<float> own(smooth, offset), to(taken.size(), offset);
          kernels::leading_channels<S>({}, from, cells, channels, 2 * fields, to);
          kernels::append_ratios<S>({}, from, own, cells, channels, fields, y);
          CHECK((to.intact() && y.intact()));
          CHECK(test::same_bits(to.content(), taken));
          CHECK(test::same_bits(y.content(), appended));
        });
    }
}

TEST_CASE("Normalised convolution kernels: tapers are the CPU's, bit for bit") {
  for (const ops::SpectralModes& modes : {ops::SpectralModes{0, 1, 2}, ops::SpectralModes{3, 5, 6}})
    for (const int channels : {1, 4, 6, 36}) {
      constexpr int blocks = 3;
      const int kept = ops::kept_modes(modes);
      const auto spectrum = test::normals<float>(static_cast<std::size_t>(2 * blocks * kept * channels), 1);
      std::vector<float> gains;
      ops::for_taper(modes, [&](double gain) { gains.push_back(static_cast<float>(gain)); });
      REQUIRE(gains.size() == static_cast<std::size_t>(kept));
      OnCpu<float> cpu({}, 1, 1);
      auto expected = spectrum;
      ops::taper(cpu.graph, expected.data(), blocks, modes, channels);
      for (const std::size_t offset : {0u, 1u})
        test::in_every_order([&] {
          const Buffer<float> factors(gains, offset), to(spectrum, offset);
          kernels::taper({}, factors, 2 * blocks, kept, channels, to);
          CHECK(to.intact());
          CHECK(test::same_bits(to.content(), expected));
        });
    }
}
