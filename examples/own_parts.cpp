// A mask policy, a noise schedule, a network and a background of one's own, with all that impute() has: exposure audit, held-out
// validation, calibration, progress. usage: own_parts [training steps]

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <lacuna/model/model.hpp>
#include <lacuna/nn/layers.hpp>

#include "common/waves.hpp"

using namespace lacuna;

namespace {

/// Contexts: each observed cell is hidden, and asked for, with a probability of a third.
struct Thirds {
  struct Draw {
    PhiloxKey key;
    std::uint64_t sample;
    bool in_context(mask::Cell c) const {
      return uniform(philox(key, sample, mask::cell_position(c.group, c.y, c.x))[0]) > 1.0f / 3;
    }
    bool in_query(mask::Cell c) const { return !in_context(c); }
  };
  Draw draw(PhiloxKey key, std::uint64_t sample, const mask::Window&) const { return {key, sample}; }
};

/// alpha = cos^2, sigma = sin^2 of a quarter turn.
struct Squared {
  double alpha(double t) const { return std::pow(std::cos(1.5707963 * t), 2); }
  double sigma(double t) const { return std::pow(std::sin(1.5707963 * t), 2); }
  double log_snr(double t) const { return 2 * std::log(alpha(t) / sigma(t)); }
  double time_of_log_snr(double l) const { return std::atan(std::exp(-l / 4)) / 1.5707963; }
};

/// Two convolutions.
struct TwoLayers {
  ops::ConvolutionParameters first, second;
  template <class T, class D, class S>
  Variable<S> operator()(Graph<T, D>& g, const Variable<S>& input, const T*) const {
    return ops::convolution(g, second, ops::activation<ops::Silu>(g, ops::convolution(g, first, input)));
  }
};

/// First guess: the mean of the context's values.
struct ContextMean {
  void fit(const baseline::BackgroundData&) {}
  void evaluate(const baseline::BackgroundRequest& r, float* out) const {
    double sum = 0, count = 0;
    for (std::size_t i = 0; i < r.size(); ++i)
      if (r.context[i] != 0) sum += static_cast<double>(r.values[i]), count += 1;
    std::fill_n(out, r.size(), count > 0 ? static_cast<float>(sum / count) : 0.0f);
  }
};

/// Shows how far the training is.
struct Bar final : Observer {
  void progresses(const StageProgress& p) override {
    if (p.steps % 100 == 0 && p.steps > 0) std::printf("step %lld: loss %.3f\n", static_cast<long long>(p.steps), p.loss);
  }
};

}  // namespace

int main(int argc, char** argv) {
  const auto fields = common::gappy_waves(36, 24, 24, 0.25);
  const auto factory = [](const train::NetworkShape& shape, Parameters<float>& parameters, std::uint64_t seed) {
    const nn::Builder<float> b(parameters, seed);
    return TwoLayers{b.convolution("first", shape.inputs(), 32, 5, 1, 2), b.convolution("second", 32, shape.outputs(), 5, 1, 2)};
  };
  Bar bar;
  Model model(make_dataset(fields, {}, ContextMean{}), factory, Thirds{}, {.batch = 8, .learning_rate = 3e-3}, Squared{});
  std::printf("%s", mask::summary(model.audit()).c_str());
  model.train({.steps = argc > 1 ? std::atoll(argv[1]) : 400}, bar);
  model.calibrate();
  const auto filled = model.fill(fields);
  const double error = common::error_on_waves(fields, filled.fields);
  std::printf("held-out error %.4f; error on the missing points: %.4f of the variance\n", model.spread_calibration().spread.mse(),
              error);
  return error < 0.5 ? 0 : 1;
}
