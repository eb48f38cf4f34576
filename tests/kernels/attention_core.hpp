#pragma once

#include <vector>

#include "lacuna/ops/attention.hpp"
#include "support/fill.hpp"
#include "support/probe.hpp"

namespace lacuna::test {

/// @brief What the CPU's attention makes of q, k, v between its projections, and its gradients.
struct AttentionCore {
  std::vector<float> o, grad_qkv;
  bool operator==(const AttentionCore&) const = default;
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

/// @brief The first W of every 3 W numbers.
template <class T>
std::vector<T> first_third(const std::vector<T>& x, int w) {
  std::vector<T> out;
  for (std::size_t i = 0; i < x.size(); i += static_cast<std::size_t>(3 * w))
    out.insert(out.end(), x.begin() + static_cast<std::ptrdiff_t>(i), x.begin() + static_cast<std::ptrdiff_t>(i) + w);
  return out;
}

/// @brief The gradient of o that train_pass() hands through the op's output projection.
inline std::vector<float> attention_grad_o(std::size_t qkv_size, int w) { return first_third(normals<float>(qkv_size, 999), w); }

/// @brief Runs build(graph, x, residual) on q, k, v of this shape (B, T, H, W, 3 W).
template <class Build>
AttentionCore attention_core_on_cpu(Parameters<float>& p, const Operand<float>& qkv, int w, const Build& build) {
  cpu::Device device({.threads = 1});
  const Operand<float> zero{qkv.shape, std::vector<float>(qkv.values.size(), 0.0f)};
  const auto pass =
      train_pass(device, p, std::vector{qkv, zero}, [&](Graph<float>& graph, const auto& x) { return build(graph, x[0], x[1]); });
  return {first_third(pass.result, w), pass.operand_gradients[0]};
}

}  // namespace lacuna::test
