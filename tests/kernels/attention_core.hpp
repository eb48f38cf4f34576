#pragma once

#include <vector>

#include "kernels/scalars.hpp"
#include "lacuna/ops/attention.hpp"
#include "support/fill.hpp"
#include "support/probe.hpp"

namespace lacuna::test {

/// @brief What an attention makes of q, k, v between its projections, and their gradients.
template <class S>
struct AttentionCore {
  std::vector<S> o, grad_qkv;
};

/// @brief A layer whose projections are identities: x holds q, k, v, and the first W channels of y are o (residual zero).
template <class T>
ops::AttentionParameters identity_attention(Parameters<T>& p, int heads, int features) {
  const int w = heads * features;
  const ops::AttentionParameters layer{p.add("qkv", {3 * w, 3 * w}), p.add("out", {3 * w, w}), {}, 3 * w, heads, features};
  for (int i = 0; i < 3 * w; ++i) p.value(layer.qkv)[i * 3 * w + i] = 1;
  for (int i = 0; i < w; ++i) p.value(layer.out)[i * w + i] = 1;
  return layer;
}

/// @brief By the CPU's op, in double: build(graph, x, residual) on q, k, v of this shape (B, T, H, W, 3 W), with the gradient of
/// o (B, T, H, W, W).
template <class Build>
AttentionCore<float> attention_core_on_cpu(Parameters<double>& p, const Shape& shape, const std::vector<float>& qkv,
                                           const std::vector<float>& grad_o, const Build& build) {
  cpu::Device device({.threads = 1});
  const auto w = static_cast<std::size_t>(shape.channels / 3);
  const Operand<double> x{shape, {qkv.begin(), qkv.end()}}, zero{shape, std::vector<double>(shape.size(), 0.0)};
  std::vector<double> gradient(shape.size(), 0.0);
  for (std::size_t i = 0; i < grad_o.size(); ++i) gradient[i / w * 3 * w + i % w] = grad_o[i];
  const auto pass = train_pass(
      device, p, std::vector{x, zero}, [&](Graph<double>& graph, const auto& in) { return build(graph, in[0], in[1]); },
      gradient);
  AttentionCore<float> core;
  for (std::size_t i = 0; i < grad_o.size(); ++i) core.o.push_back(static_cast<float>(pass.result[i / w * 3 * w + i % w]));
  for (const double v : pass.operand_gradients[0]) core.grad_qkv.push_back(static_cast<float>(v));
  return core;
}

}  // namespace lacuna::test
