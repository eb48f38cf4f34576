#include "spectral_mixing.cuh"

#include "catch.hpp"
#include "cuda_emulation/buffer.hpp"
#include "kernels/orders.hpp"
#include "lacuna/ops/spectral_convolution.hpp"
#include "support/compare.hpp"
#include "support/fill.hpp"
#include "support/tolerances.hpp"

using namespace lacuna;
using cuda_emulation::Buffer;

namespace {

struct Case {
  kernels::SpectralMixing sizes;
  std::vector<float> x, weight, grad_y, grad_weight;

  Case(int blocks, int rows, int inputs, int outputs) : sizes{blocks, rows * 2, inputs, outputs} {
    const auto spectrum = [&](int channels) { return static_cast<std::size_t>(2 * blocks * sizes.modes * channels); };
    const auto weights = static_cast<std::size_t>(2 * sizes.modes * inputs * outputs);
    x = test::normals<float>(spectrum(inputs), 1);
    grad_y = test::normals<float>(spectrum(outputs), 2);
    weight = test::normals<float>(weights, 3);
    grad_weight = test::normals<float>(weights, 4);  // gradients are added to it
  }
};

struct Outcome {
  std::vector<float> y, grad_x, grad_weight;
  bool operator==(const Outcome&) const = default;
};

Outcome on_cpu(const Case& c) {
  cpu::Device device({.threads = 1});
  Parameters<float> p;
  const auto& s = c.sizes;
  const ops::SpectralParameters layer{
      p.add("weight", {s.modes, 2, s.inputs, s.outputs}), {}, s.inputs, s.outputs, {0, s.modes / 2, 2}};
  REQUIRE(ops::kept_modes(layer.modes) == s.modes);
  p.values() = c.weight;
  p.gradients() = c.grad_weight;
  Graph<float> graph(device, p, Mode::train);
  Outcome o{std::vector<float>(c.grad_y.size()), std::vector<float>(c.x.size()), {}};
  const ops::ModeMixing<float> mixing(graph, layer, s.blocks);
  mixing.forward(c.x.data(), o.y.data());
  mixing.backward(c.x.data(), c.grad_y.data(), o.grad_x.data());
  o.grad_weight = p.gradients();
  return o;
}

Outcome on_gpu(const Case& c, std::size_t offset) {
  Buffer<float> x(c.x, offset), weight(c.weight, offset), y(c.grad_y.size(), offset), grad_y(c.grad_y, offset),
      grad_x(c.x.size(), offset), grad_weight(c.grad_weight, offset);
  kernels::spectral_mixing_forward({}, c.sizes, x, weight, y);
  kernels::spectral_mixing_input_gradient({}, c.sizes, grad_y, weight, grad_x);
  kernels::spectral_mixing_weight_gradient({}, c.sizes, x, grad_y, grad_weight);
  CHECK((y.intact() && grad_x.intact() && grad_weight.intact()));
  return {y.content(), grad_x.content(), grad_weight.content()};
}

void check_near(const Outcome& given, const Outcome& expected) {
  CHECK(test::relative_difference(given.y, expected.y) < test::tolerance::kernel);
  CHECK(test::relative_difference(given.grad_x, expected.grad_x) < test::tolerance::kernel);
  CHECK(test::relative_difference(given.grad_weight, expected.grad_weight) < test::tolerance::kernel);
}

}  // namespace

TEST_CASE("Spectral mixing kernels: agree with the CPU for blocks and channels of many sizes, in every order") {
  for (const auto& c : {Case(1, 1, 1, 1), Case(3, 4, 5, 7), Case(33, 2, 8, 36), Case(2, 3, 65, 32), Case(40, 1, 32, 33)}) {
    const auto& s = c.sizes;
    INFO(s.blocks << " blocks, " << s.modes << " modes, " << s.inputs << " to " << s.outputs << " channels");
    const auto expected = on_cpu(c), first = on_gpu(c, 0);
    test::in_every_order([&] {
      check_near(on_gpu(c, 1), expected);
      const auto given = on_gpu(c, 0);
      check_near(given, expected);
      CHECK(given == first);
    });
  }
}

TEST_CASE("Spectral mixing kernels: NaN stays in its mode of its block") {
  Case c(3, 2, 5, 6);
  const auto clean = on_gpu(c, 0);
  c.x[static_cast<std::size_t>((1 * 2 + 1) * 4 + 2) * 5 + 3] = test::nan<float>;  // block 1, imaginary, mode 2
  const auto given = on_gpu(c, 0);
  for (std::size_t i = 0; i < given.y.size(); ++i) {
    const bool touched = i / (2 * 4 * 6) == 1 && i / 6 % 4 == 2;
    CHECK((touched ? std::isnan(given.y[i]) : given.y[i] == clean.y[i]));
  }
}
