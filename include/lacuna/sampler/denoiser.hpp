#pragma once

#include <cstdint>
#include <span>

namespace lacuna::sampler {

/// @brief Where a sampler asks its denoiser: the time, and the number of the evaluation, which feeds random contexts.
struct Evaluation {
  double time = 1;
  std::uint64_t number = 0;
};

/// @brief `denoiser(at, state, estimate)` writes its estimate of x0, E[x0 | x_t, ...], of a state x_t.
///
/// Both spans are of one size and apart in memory. A denoiser may keep buffers, but its answer depends on its arguments alone.
template <class D, class T = float>
concept Denoiser = requires(D& denoiser, const Evaluation& at, std::span<const T> state, std::span<T> estimate) {
  denoiser(at, state, estimate);
};

/// @brief What was observed: values are read where `observed` is not 0 and may be NaN elsewhere.
template <class T = float>
struct Known {
  std::span<const T> values;
  std::span<const std::uint8_t> observed;
};

/// @brief Which samples a state holds one after another: each gets the noise of its number, whoever is beside it.
struct Members {
  std::uint64_t seed = 1, first = 0;
  std::size_t count = 1;
};

/// @brief A denoiser that exists in name only: what the concept Sampler asks with.
template <class T>
struct AnyDenoiser {
  void operator()(const Evaluation&, std::span<const T>, std::span<T>);
};

/// @brief `sampler(denoiser, known, members, state)` fills the state with samples of x0 that agree with what is known.
template <class S, class T = float>
concept Sampler = requires(const S& sampler, AnyDenoiser<T>& denoiser, const Known<T>& known, const Members& members,
                           std::span<T> state) {
  sampler(denoiser, known, members, state);
};

}  // namespace lacuna::sampler
