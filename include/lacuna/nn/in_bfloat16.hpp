#pragma once

#include <cstdint>

#include "lacuna/nn/layers.hpp"
#include "lacuna/ops/cast.hpp"

namespace lacuna::nn {

/// @brief A network whose images and their gradients are bfloat16: half of their memory, and for the UNets the machine's matrix
/// units.
///
/// It takes and gives float. Parameters and their gradients, time features, norms' statistics and all sums are float too. UNets
/// gain where simd::has_bfloat16(): with AVX-512 alone oneDNN imitates the products, and without it (or without oneDNN)
/// convolutions run on float copies, both slower than float. Fno computes in float on any machine.
/// Shapes and errors: the network's own.
template <class Network>
class InBfloat16 {
 public:
  using Settings = typename Network::Settings;

  InBfloat16(const Settings& settings, Parameters<float>& parameters, std::uint64_t seed)
      : network_(settings, parameters, seed) {}

  const Settings& settings() const { return network_.settings(); }

  template <class D>
  Variable<float> operator()(Graph<float, D>& g, const Variable<float>& input, const float* times) const {
    const auto x = ops::cast<Bfloat16>(g, input);
    const auto estimate = consume(g, x, [&](const Variable<Bfloat16>& narrow) { return network_(g, narrow, times); });
    return consume(g, estimate, [&](const Variable<Bfloat16>& narrow) { return ops::cast<float>(g, narrow); });
  }

 private:
  Network network_;
};

}  // namespace lacuna::nn
