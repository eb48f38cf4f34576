// Ops of the Fourier neural operator on bfloat16 images, which they compute in float.

#include "lacuna/ops/wide_copies.hpp"

#include "catch.hpp"
#include "lacuna/ops/activation.hpp"
#include "lacuna/ops/conditioned_linear.hpp"
#include "lacuna/ops/gated_add.hpp"
#include "lacuna/ops/pointwise_linear.hpp"
#include "lacuna/ops/spectral_convolution.hpp"
#include "support/bfloat16.hpp"
#include "support/probe.hpp"
#include "support/tolerances.hpp"

using namespace lacuna;

namespace {

const Shape shape{.batch = 2, .frames = 3, .height = 11, .width = 18, .channels = 12};  // several tasks, the last one short

/// Result and gradients of an op on bfloat16 copies against the same op on float, and for any number of threads.
template <class Build>
void check(Parameters<float>& parameters, const Build& build, int operands = 1, const Shape& second = shape) {
  cpu::Device device({.threads = 1}), three({.threads = 3});
  std::vector all{test::narrow_operand(shape, 1)};
  if (operands == 2) all.push_back(test::narrow_operand(second, 2));
  const auto expected = test::train_pass(device, parameters, all, build);
  const auto given = test::train_pass(device, parameters, all, test::in_bfloat16(build));
  CHECK(test::relative_difference(given.result, expected.result) < test::tolerance::bfloat16);
  CHECK(given.result != expected.result);
  for (std::size_t k = 0; k < all.size(); ++k)
    CHECK(test::relative_difference(given.operand_gradients[k], expected.operand_gradients[k]) < test::tolerance::bfloat16);
  CHECK(test::relative_difference(given.parameter_gradients, expected.parameter_gradients) < test::tolerance::bfloat16);
  CHECK(test::train_pass(three, parameters, all, test::in_bfloat16(build)) == given);
}

}  // namespace

TEST_CASE("Wide copies: pointwise layers in bfloat16 are within rounding of float") {
  for (const bool biased : {true, false}) {
    Parameters<float> p;
    ops::LinearParameters layer{p.add("weight", {20, 12}), {}, 12, 20};
    if (biased) layer.bias = p.add("bias", {20});
    p.values() = test::normals<float>(p.size(), 3);
    check(p, [layer](Graph<float>& g, const auto& x) { return ops::pointwise_linear(g, layer, x[0]); });
    check(
        p,
        [layer](Graph<float>& g, const auto& x) {
          const auto sum = ops::activation<ops::Gelu>(g, x[1]);
          ops::pointwise_linear_add(g, layer, x[0], sum);
          return sum;
        },
        2, shape.with_channels(20));
  }
}

TEST_CASE("Wide copies: GELU and gated skips in bfloat16 are within rounding of float") {
  Parameters<float> p;
  const auto gate = p.add("gate", {12});
  p.values() = test::normals<float>(p.size(), 3);
  check(
      p,
      [gate](Graph<float>& g, const auto& x) {
        const auto sum = ops::activation<ops::Gelu>(g, x[1]);
        ops::gated_add(g, gate, x[0], sum);
        return sum;
      },
      2);
}

TEST_CASE("Wide copies: spectral convolutions in bfloat16 are within rounding of float") {
  for (const ops::SpectralModes modes : {ops::SpectralModes{0, 5, 6}, ops::SpectralModes{2, 5, 6}}) {
    Parameters<float> p;
    const ops::SpectralParameters layer{p.add("weight", {ops::kept_modes(modes), 2, 12, 9}), p.add("bias", {9}), 12, 9, modes};
    p.values() = test::normals<float>(p.size(), 3);
    check(p, [layer](Graph<float>& g, const auto& x) { return ops::spectral_convolution(g, layer, x[0]); });
  }
}

TEST_CASE("Wide copies: a conditioned layer takes bfloat16 images beside float features") {
  Parameters<float> p;
  const ops::LinearParameters layer{p.add("weight", {20, 12 + 3}), p.add("bias", {20}), 15, 20};
  p.values() = test::normals<float>(p.size(), 3);
  check(p, [layer](Graph<float>& g, const auto& x) {
    const Variable<float>* none = nullptr;
    return ops::conditioned_linear(g, layer, x[0], none, 3);
  });
  Parameters<float> q;
  const ops::LinearParameters timed{q.add("weight", {20, 12 + 5 + 3}), q.add("bias", {20}), 20, 20};
  q.values() = test::normals<float>(q.size(), 3);
  cpu::Device device({.threads = 2});
  const std::vector operands{test::narrow_operand(shape, 1), test::random_operand<float>({.batch = 2, .channels = 5}, 2)};
  const auto wide = test::train_pass<float>(
      device, q, operands, [timed](Graph<float>& g, const auto& x) { return ops::conditioned_linear(g, timed, x[0], &x[1], 3); });
  const auto narrow = test::train_pass<float>(device, q, operands, [timed](Graph<float>& g, const auto& x) {
    const auto image = ops::cast<Bfloat16>(g, x[0]);
    return ops::cast<float>(g, ops::conditioned_linear(g, timed, image, &x[1], 3));
  });
  CHECK(test::relative_difference(narrow.result, wide.result) < test::tolerance::bfloat16);
  for (std::size_t k = 0; k < 2; ++k)
    CHECK(test::relative_difference(narrow.operand_gradients[k], wide.operand_gradients[k]) < test::tolerance::bfloat16);
  CHECK(test::relative_difference(narrow.parameter_gradients, wide.parameter_gradients) < test::tolerance::bfloat16);
}
