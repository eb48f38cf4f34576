#pragma once

#include <cmath>
#include <vector>

#include "catch.hpp"
#include "cuda_emulation/buffer.hpp"
#include "kernels/attention_core.hpp"
#include "kernels/orders.hpp"
#include "kernels/scalars.hpp"
#include "position_attention.cuh"

namespace lacuna::test {

/// @brief Operands of attention over the positions of images, in numbers that S holds.
struct PositionCase {
  int images, positions, heads, features;
  std::vector<float> qkv, grad_o;

  template <class S>
  static PositionCase of(int images, int positions, int heads, int features) {
    const auto size = static_cast<std::size_t>(images * positions * heads * features);
    return {images, positions, heads, features, normals_of<S>(3 * size, 1), normals_of<S>(size, 2)};
  }
  int width() const { return heads * features; }
};

template <class S>
struct PositionOutcome {
  std::vector<S> o, again, grad_qkv;  ///< again: o, once more with the gradients

  bool same(const PositionOutcome& other) const {
    return same_bits(o, other.o) && same_bits(again, other.again) && same_bits(grad_qkv, other.grad_qkv);
  }
};

/// @brief o and the gradient of q, k, v by the CPU's op, in double: build(graph, layer, x, residual).
template <class Build>
PositionOutcome<float> position_attention_on_cpu(const PositionCase& c, const Build& build) {
  Parameters<double> p;
  const auto layer = identity_attention(p, c.heads, c.features);
  const auto core =
      attention_core_on_cpu(p, {.batch = c.images, .width = c.positions, .channels = layer.channels}, c.qkv, c.grad_o,
                            [&](auto& graph, const auto& x, const auto& residual) { return build(graph, layer, x, residual); });
  return {core.o, core.o, core.grad_qkv};
}

/// @brief The same by kernels: run(operands, backward) makes workspaces and launches; backward fills o and grad_qkv.
template <class S, class Run>
PositionOutcome<S> position_attention_on_gpu(const PositionCase& c, std::size_t offset, const Run& run) {
  using cuda_emulation::Buffer;
  const Buffer<S> qkv(as<S>(c.qkv), offset), grad_o(as<S>(c.grad_o), offset);
  const Buffer<S> o(c.grad_o.size(), offset), again(c.grad_o.size(), offset), grad_qkv(c.qkv.size(), offset);
  kernels::PositionAttention<S> a{.qkv = qkv,
                                  .grad_o = nullptr,
                                  .o = o,
                                  .grad_qkv = nullptr,
                                  .images = static_cast<std::size_t>(c.images),
                                  .positions = c.positions,
                                  .heads = c.heads,
                                  .features = c.features};
  auto backward = a;
  backward.grad_o = grad_o;
  backward.o = again;
  backward.grad_qkv = grad_qkv;
  run(a, backward);
  CHECK((o.intact() && again.intact() && grad_qkv.intact()));
  return {o.content(), again.content(), grad_qkv.content()};
}

template <class S>
void check_near(const PositionOutcome<S>& given, const PositionOutcome<float>& expected) {
  CHECK(within_one_rounding(given.o, expected.o));
  CHECK(within_one_rounding(given.again, expected.again));
  CHECK(within_one_rounding(given.grad_qkv, expected.grad_qkv));
}

/// @brief Checks kernels against the CPU's op, aligned or not: on_cpu(case), on_gpu(case, offset).
template <class S, class OnCpu, class OnGpu>
void check_alignments(const PositionCase& c, const OnCpu& on_cpu, const OnGpu& on_gpu) {
  INFO(c.images << " images, " << c.positions << " positions, " << c.heads << " heads of " << c.features);
  const auto expected = on_cpu(c);
  for (const std::size_t offset : {0u, 1u}) check_near<S>(on_gpu(c, offset), expected);
}
/// @brief Checks them in every order of blocks and threads, which must change no bit.
template <class S, class OnCpu, class OnGpu>
void check_orders(const PositionCase& c, const OnCpu& on_cpu, const OnGpu& on_gpu) {
  const auto expected = on_cpu(c);
  const auto first = on_gpu(c, 0);
  in_every_order([&] {
    const auto given = on_gpu(c, 0);
    CHECK(given.same(first));
    check_near<S>(given, expected);
  });
}

/// @brief Checks that NaN in the element of qkv leaves other images and other heads as they were, and shows in its own.
template <class OnGpu>
void check_nan_stays(PositionCase c, std::size_t element, const OnGpu& on_gpu) {
  const auto clean = on_gpu(c);
  c.qkv[element] = nan<float>;
  const auto given = on_gpu(c);
  const auto own = [&](std::size_t i, int parts) {
    const std::size_t w = static_cast<std::size_t>(c.width()),
                      per_image = static_cast<std::size_t>(parts) * w * static_cast<std::size_t>(c.positions);
    return std::pair{i / per_image, i % w / static_cast<std::size_t>(c.features)};
  };
  bool shows = false;
  for (std::size_t i = 0; i < given.o.size(); ++i) {
    shows = shows || std::isnan(given.o[i]);
    INFO(i);
    if (own(i, 1) != own(element, 3)) CHECK(given.o[i] == clean.o[i]);
  }
  CHECK(shows);
  for (std::size_t i = 0; i < given.grad_qkv.size(); ++i) {
    INFO(i);
    if (own(i, 3) != own(element, 3)) CHECK(given.grad_qkv[i] == clean.grad_qkv[i]);
  }
}

}  // namespace lacuna::test
