// Prints what docs/theory.md shows of guidance: a wind field without divergence, filled by a denoiser that knows each component
// but not what ties them together. A penalty on the divergence, its gradient by the tape, puts that knowledge in.

#include "lacuna/sampler/guidance.hpp"

#include <cmath>
#include <cstdio>
#include <vector>

#include "lacuna/ops/convolution.hpp"
#include "lacuna/ops/masked_loss.hpp"
#include "lacuna/sampler/diffusion.hpp"
#include "lacuna/sampler/tape_gradient.hpp"
#include "lacuna/schedule/variance_preserving.hpp"
#include "lacuna/theory/denoiser.hpp"

namespace {

using namespace lacuna;

constexpr int side = 10, cells = side * side, values = 2 * cells, members = 24, fields = 6;
constexpr int inner = (side - 2) * (side - 2);  // cells that have all four neighbours

/// Winds u = d psi / dy, v = -d psi / dx by central differences from a stream function that is smooth over two cells; the same
/// differences find no divergence in them. (u, v) per cell, about of deviation 1.
theory::Gaussian winds() {
  constexpr int wide = side + 2;
  Eigen::MatrixXd stream(wide * wide, wide * wide), curl = Eigen::MatrixXd::Zero(values, wide * wide);
  for (int i = 0; i < wide * wide; ++i)
    for (int j = 0; j < wide * wide; ++j) {
      const double dy = i / wide - j / wide, dx = i % wide - j % wide;
      stream(i, j) = 4.0 * std::exp(-(dx * dx + dy * dy) / 8.0);
    }
  for (int y = 0; y < side; ++y)
    for (int x = 0; x < side; ++x) {
      const int at = 2 * (y * side + x), centre = (y + 1) * wide + x + 1;
      curl(at, centre + wide) = 0.5, curl(at, centre - wide) = -0.5;
      curl(at + 1, centre + 1) = -0.5, curl(at + 1, centre - 1) = 0.5;
    }
  return {Eigen::VectorXd::Zero(values), curl * stream * curl.transpose()};
}

/// The same law without what ties u to v.
theory::Gaussian components_apart(const theory::Gaussian& law) {
  Eigen::MatrixXd covariance = law.covariance();
  for (int i = 0; i < values; ++i)
    for (int j = 0; j < values; ++j)
      if (i % 2 != j % 2) covariance(i, j) = 0;
  return {law.mean(), covariance};
}

/// The mean squared divergence, of ops: a convolution whose fixed weights are central differences, and a loss.
struct Divergence {
  ops::ConvolutionParameters stencil;
  std::vector<float> zero = std::vector<float>(inner);
  std::vector<std::uint8_t> everywhere = std::vector<std::uint8_t>(inner, 1);

  explicit Divergence(Parameters<double>& parameters)
      : stencil{parameters.add("stencil", {1, 3, 3, 2}), parameters.add("none", {1}), 2, 1, 3, 1, 0} {
    double* w = parameters.value(stencil.weight);  // (row, column, component)
    w[(1 * 3 + 2) * 2] = 0.5, w[(1 * 3 + 0) * 2] = -0.5;
    w[(2 * 3 + 1) * 2 + 1] = 0.5, w[(0 * 3 + 1) * 2 + 1] = -0.5;
  }
  double operator()(Graph<double>& graph, const Variable<double>& wind) const {
    return ops::masked_loss(graph, ops::convolution(graph, stencil, wind), zero.data(), everywhere.data());
  }
};

/// Mean squares over all fields: divergence of a sample, error of a sample, error of the samples' mean.
struct Scores {
  double residual = 0, sample = 0, mean = 0;

  void print(const char* name) const { std::printf("%-42s %10.4f %10.4f %10.4f\n", name, residual, sample, mean); }
};

struct Field {
  Eigen::VectorXd truth;
  std::vector<std::uint8_t> observed;  // each cell with probability 0.2, both components alike
};

Field draw_field(const Eigen::MatrixXd& root, std::uint64_t number) {
  Field f{root * theory::standard_normal(values, philox_key(1, Purpose::initial), number), std::vector<std::uint8_t>(values)};
  for (std::size_t i = 0; i < values; ++i) f.observed[i] = uniform(philox(philox_key(1, Purpose::gaps), number, i / 2)[0]) < 0.2f;
  return f;
}

/// Adds the scores of samples (values, members) of one field.
void add_scores(Scores& s, const Field& field, const Eigen::MatrixXd& samples,
                sampler::TapeGradient<Divergence, double>& divergence) {
  std::vector<double> slope(samples.size());
  divergence({samples.data(), slope.size()}, slope);
  s.residual += divergence.value() / static_cast<double>(samples.cols()) / fields;
  s.sample += (samples.colwise() - field.truth).squaredNorm() / static_cast<double>(samples.size()) / fields;
  s.mean += (samples.rowwise().mean() - field.truth).squaredNorm() / values / fields;
}

}  // namespace

int main() {
  const schedule::VariancePreserving vp;
  const auto law = winds(), apart = components_apart(law);
  const auto root = law.root();
  cpu::Device device({.threads = 1});
  Parameters<double> parameters;
  sampler::TapeGradient<Divergence, double> divergence(device, parameters, {1, 1, side, side, 2}, Divergence(parameters));
  // exp(-divergence^2 / (2 0.05^2)) in every cell; the mean square's curvature is 4 / inner.
  const double strength = inner / (2 * 0.05 * 0.05), largest_step = 0.25 * inner;
  const auto slope = [&divergence](std::span<const double> x, std::span<double> out) { divergence(x, out); };
  sampler::Residual<decltype(slope), double> penalty(slope, strength, largest_step);
  const sampler::Diffusion sample(vp, sampler::FirstOrder{},
                                  sampler::time_grid(vp, {.steps = 100, .spacing = sampler::Spacing::log_snr}));

  Scores alone, guided, exact;
  for (std::uint64_t number = 0; number < fields; ++number) {
    const Field field = draw_field(root, number);
    const std::vector<double> truth(field.truth.begin(), field.truth.end());
    std::vector<double> known;
    std::vector<std::uint8_t> observed;
    for (int m = 0; m < members; ++m) {
      known.insert(known.end(), truth.begin(), truth.end());
      observed.insert(observed.end(), field.observed.begin(), field.observed.end());
    }
    const auto run = [&](auto& denoiser, Scores& scores) {
      Eigen::MatrixXd state(values, members);
      sample(denoiser, sampler::Known<double>{known, observed}, {.seed = number, .count = members},
             std::span<double>(state.data(), known.size()));
      add_scores(scores, field, state, divergence);
    };
    theory::Oracle oracle(apart.given(field.observed, truth), vp);
    run(oracle, alone);
    sampler::Guided with_penalty(oracle, penalty, vp);
    run(with_penalty, guided);
    theory::Oracle knows(law.given(field.observed, truth), vp);
    run(knows, exact);
  }
  std::printf("%d wind fields, %d samples each              divergence  of a sample  of the mean\n", fields, members);
  alone.print("components apart");
  guided.print("components apart, guided by the divergence");
  exact.print("the law that ties them");
  const bool holds = guided.residual < 0.25 * alone.residual && guided.sample <= alone.sample && guided.mean <= alone.mean;
  if (!holds) std::printf("guidance did not keep its promise\n");
  return holds ? 0 : 1;
}
