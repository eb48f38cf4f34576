#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "lacuna/autograd/parameter.hpp"
#include "lacuna/core/parallel.hpp"
#include "lacuna/core/simd.hpp"
#include "lacuna/train/adam.hpp"

namespace lacuna::train {

/// @brief Everything the optimizer carries from step to step.
template <class T>
struct OptimizerState {
  std::vector<T> first_moment, second_moment, average;  ///< each as long as the parameters
  std::int64_t step = 0;
};

/// @brief The plain fused update of elements [begin, end): moments, parameters and their average in one pass.
template <class T>
void adam_plain(const AdamStep<T>& s, T* value, const T* gradient, T* m, T* v, T* average, std::size_t begin, std::size_t end) {
  for (std::size_t i = begin; i < end; ++i) adam_element(s, gradient[i], value[i], m[i], v[i], average[i]);
}

inline void adam_run(const AdamStep<float>& step, float* value, const float* gradient, float* m, float* v, float* average,
                     std::size_t begin, std::size_t end) {
  const std::size_t whole = begin + (end - begin) / simd::lanes * simd::lanes;
  simd::run([=]() LACUNA_KERNEL {
    using simd::Floats;
    for (std::size_t i = begin; i < whole; i += simd::lanes) {
      const Floats g = simd::load(gradient + i) * step.clip;
      const Floats first = step.beta1 * simd::load(m + i) + (1.0f - step.beta1) * g;
      const Floats second = step.beta2 * simd::load(v + i) + (1.0f - step.beta2) * g * g;
      const Floats updated =
          simd::load(value + i) - step.rate * first / (simd::sqrt(second) * step.root_correction + step.epsilon);
      const Floats mean = simd::load(average + i);
      simd::store(m + i, first);
      simd::store(v + i, second);
      simd::store(value + i, updated);
      simd::store(average + i, mean + (1.0f - step.decay) * (updated - mean));
    }
  });
  adam_plain(step, value, gradient, m, v, average, whole, end);
}
inline void adam_run(const AdamStep<double>& step, double* value, const double* gradient, double* m, double* v, double* average,
                     std::size_t begin, std::size_t end) {
  adam_plain(step, value, gradient, m, v, average, begin, end);
}

/// @brief Sum of squares, in double: the plain version, and the one on lanes.
template <class T>
double square_sum(const T* x, std::size_t size) {
  double sum = 0;
  for (std::size_t i = 0; i < size; ++i) sum += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  return sum;
}
inline double square_sum(const float* x, std::size_t size) {
  const std::size_t whole = size - size % simd::lanes;
  double total = 0;
  simd::run([&total, x, whole]() LACUNA_KERNEL {
    simd::SquareSum sum;
    for (std::size_t i = 0; i < whole; i += simd::lanes) sum.add(simd::load(x + i));
    total = sum.total();
  });
  return total + square_sum<float>(x + whole, size - whole);
}

/// @brief Adam with clipping by the global norm and an exponential moving average of the weights.
///
/// Two passes over memory: the norm (reads the gradient), then moments, parameters and average together.
/// Determinism: the norm is summed over fixed runs in order, whatever the threads.
/// NaN: a gradient with a non-finite norm is not applied; step() returns the norm and the caller decides.
/// Source: Kingma and Ba 2015, arXiv:1412.6980, Algorithm 1.
template <class T>
class Optimizer {
 public:
  Optimizer(const Parameters<T>& parameters, const OptimizerSettings& settings) : settings_(settings) {
    state_.first_moment.assign(parameters.size(), T(0));
    state_.second_moment.assign(parameters.size(), T(0));
    state_.average = parameters.values();
  }

  /// Applies the gradients with this learning rate and returns their norm before clipping.
  double step(Parameters<T>& parameters, double learning_rate, int threads) {
    const double norm = std::sqrt(square_norm(parameters.gradients(), threads));
    if (!std::isfinite(norm)) return norm;
    auto s = adam_step<T>(settings_, ++state_.step, learning_rate);
    s.clip = static_cast<T>(norm > settings_.clip ? settings_.clip / norm : 1.0);
    parallel_for(threads, runs, [&](int run) {
      const auto [begin, end] = share(parameters.size(), runs, run);
      adam_run(s, parameters.values().data(), parameters.gradients().data(), state_.first_moment.data(),
               state_.second_moment.data(), state_.average.data(), begin, end);
    });
    return norm;
  }

  OptimizerState<T>& state() { return state_; }
  const OptimizerState<T>& state() const { return state_; }

 private:
  static constexpr int runs = 32;

  static double square_norm(const std::vector<T>& gradient, int threads) {
    double sums[runs];
    parallel_for(threads, runs, [&](int run) {
      const auto [begin, end] = share(gradient.size(), runs, run);
      sums[run] = square_sum(gradient.data() + begin, end - begin);
    });
    double total = 0;
    for (const double sum : sums) total += sum;
    return total;
  }

  OptimizerSettings settings_;
  OptimizerState<T> state_;
};

/// @brief Learning rate over a run: linear warm-up, then half a cosine down to `final_fraction` of the peak.
struct LearningRate {
  double peak = 1e-3, warm_up = 0.02, final_fraction = 0.02;

  /// progress: 0 at the start, 1 at the end of the run.
  double operator()(double progress) const {
    if (progress < warm_up) return peak * (progress + 1e-3) / (warm_up + 1e-3);
    const double x = std::min(1.0, (progress - warm_up) / (1.0 - warm_up));
    return peak * (final_fraction + (1.0 - final_fraction) * 0.5 * (1.0 + std::cos(3.14159265358979323846 * x)));
  }
};

}  // namespace lacuna::train
