#pragma once

#include <cstddef>
#include <vector>

#include "lacuna/autograd/graph.hpp"
#include "lacuna/schedule/variance_preserving.hpp"

namespace lacuna::test {

/// The paper's schedule in stairs: constant within each of `bins` equal spans of time, so that a table with one row per span can
/// be exact. Paths meet each span once, at middle(bin).
struct Stairs {
  int bins = 1;
  schedule::VariancePreserving inner{};

  int bin(double t) const {
    const double x = (t - schedule::smallest_time) / (1.0 - schedule::smallest_time) * bins;
    return x < 0 ? 0 : x >= bins ? bins - 1 : static_cast<int>(x);
  }
  double middle(int b) const { return schedule::smallest_time + (b + 0.5) / bins * (1.0 - schedule::smallest_time); }
  double alpha(double t) const { return inner.alpha(middle(bin(t))); }
  double sigma(double t) const { return inner.sigma(middle(bin(t))); }
  double log_snr(double t) const { return inner.log_snr(middle(bin(t))); }
  double time_of_log_snr(double l) const { return inner.time_of_log_snr(l); }

  std::vector<double> path() const {
    std::vector<double> times;
    for (int b = bins - 1; b >= 0; --b) times.push_back(middle(b));
    return times;
  }
};
static_assert(schedule::NoiseSchedule<Stairs>);

/// A network that is exact on a Gaussian law: for a line of n cells it has one affine map per span of time and pattern of the
/// masks that it is shown. All weights start at `start`.
class Tabular {
 public:
  /// shown: masks in the input, each followed by its values: 1 (context) or 2 (context and query).
  Tabular(int cells, int shown, const Stairs& stairs, Parameters<float>& parameters, float start = 0.0f)
      : cells_(cells),
        shown_(shown),
        stairs_(stairs),
        table_(parameters.add("table", {stairs.bins << (cells * shown), cells, static_cast<int>(row())}, start)) {}

  /// Shapes: input (B,1,1, cells, C), times (B) -> (B,1,1, cells, 1).
  Variable<float> operator()(Graph<float>& g, const Variable<float>& input, const float* times) const {
    const auto y = g.make(input.shape.with_channels(1));
    for_terms(input, times, [&g, y, this](std::size_t weight, std::ptrdiff_t out, float x) {
      const float term = g.parameters().value(table_)[weight] * x;
      y.data[out] = weight % row() == 0 ? term : y.data[out] + term;
    });
    g.record([&g, self = this, input, y, times] {
      self->for_terms(input, times, [&g, self, y](std::size_t weight, std::ptrdiff_t out, float x) {
        g.parameters().gradient(self->table_)[weight] += y.node->gradient[out] * x;
      });
      g.finish(y);
    });
    return y;
  }

 private:
  std::size_t row() const { return 1 + static_cast<std::size_t>(cells_ * shown_); }

  /// visit(weight, output, x) for y[output] = sum of weight x: of each output first the constant, then the noisy values.
  template <class Visit>
  void for_terms(const Variable<float>& input, const float* times, const Visit& visit) const {
    require_shape("Tabular", "input", input.shape, {input.shape.batch, 1, 1, cells_, input.shape.channels});
    const int seen = cells_ * shown_, channels = input.shape.channels;
    for (int b = 0; b < input.shape.batch; ++b) {
      const float* x = input.data + static_cast<std::ptrdiff_t>(b) * cells_ * channels;
      const auto mask = [&](int k) { return k % cells_ * channels + 2 * (k / cells_); };  // its value follows
      auto pattern = static_cast<std::size_t>(stairs_.bin(static_cast<double>(times[b])));
      for (int k = 0; k < seen; ++k) pattern = 2 * pattern + (x[mask(k)] != 0 ? 1 : 0);
      for (int i = 0; i < cells_; ++i) {
        const std::size_t first = (pattern * static_cast<std::size_t>(cells_) + static_cast<std::size_t>(i)) * row();
        const std::ptrdiff_t out = static_cast<std::ptrdiff_t>(b) * cells_ + i;
        visit(first, out, 1.0f);
        for (int k = 0; k < seen; ++k) visit(first + 1 + static_cast<std::size_t>(k), out, x[mask(k) + 1]);
      }
    }
  }

  int cells_, shown_;
  Stairs stairs_;
  Parameter table_;
};

}  // namespace lacuna::test
