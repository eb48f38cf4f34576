// Prints what docs/theory.md shows: the paper's two theorems, on the oracle and on trained networks, and the samplers on a
// Gaussian law, where everything is known exactly.

#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "common/gaussian_model.hpp"
#include "lacuna/mask/blocks.hpp"
#include "lacuna/mask/draw.hpp"
#include "lacuna/mask/pixels.hpp"
#include "lacuna/sampler/diffusion.hpp"
#include "lacuna/sampler/draw_contexts.hpp"
#include "lacuna/sampler/posterior.hpp"
#include "lacuna/schedule/variance_preserving.hpp"
#include "lacuna/theory/denoiser.hpp"
#include "lacuna/theory/ensemble.hpp"
#include "lacuna/theory/exposure.hpp"
#include "lacuna/theory/fields.hpp"

namespace {

using namespace lacuna;

constexpr std::size_t positions = 8;
using Bytes = std::vector<std::uint8_t>;

/// Eight positions on a line, correlations falling as exp(-distance / 2).
theory::Gaussian line() {
  Eigen::MatrixXd covariance(positions, positions);
  for (Eigen::Index i = 0; i < covariance.rows(); ++i)
    for (Eigen::Index j = 0; j < covariance.cols(); ++j) covariance(i, j) = std::exp(-std::abs(static_cast<double>(i - j)) / 2.0);
  return {Eigen::VectorXd::Zero(positions), covariance};
}

std::string fixed(double x) {
  char digits[32];
  std::snprintf(digits, sizeof digits, "%.3f", x);
  return digits;
}

/// Theorem 1. Masks miss one of four blocks of two positions; contexts are drawn as blocks, and wrongly as pixels.
bool theorem_1() {
  std::vector<Bytes> bytes;
  for (std::size_t lost = 0; lost < 4; ++lost) {
    bytes.emplace_back(positions, std::uint8_t{1});
    bytes.back()[2 * lost] = bytes.back()[2 * lost + 1] = 0;
  }
  std::vector<mask::Window> windows;
  for (const auto& b : bytes) windows.push_back(mask::window_of({1, 1, static_cast<int>(positions), 1, false, b}, 0, 1));
  const std::vector<double> values{0.7, 0.2, -0.1, 0.3, -0.5, 0.1, 0.6, 0.4}, output(positions, 0.5);
  const theory::Level level{1, 0.1};
  bool holds = true;
  const auto print = [&](const char* name, const auto& policy, const Bytes& context) {
    const auto e = theory::measure_exposure(
        policy, windows, line(), {.context = context, .values = values, .output = output, .level = level, .trials = 200000});
    const auto exact = line().given(context, values, level).mean();
    std::printf("%s, %zu draws\n", name, e.draws);
    std::printf("  position  context  query p_i  squared gradient  4 p_i E[.]  learned  E[x0 | ctx]\n");
    for (std::size_t i = 0; i < positions; ++i) {
      const bool queried = e.frequency[i] > 0;
      std::printf("  %8zu  %7d  %9.3f  %16.3f  %10.3f  %7s  %11.3f\n", i, context[i], e.frequency[i], e.squared_gradient[i],
                  e.predicted_gradient[i], queried ? fixed(e.learned[i]).c_str() : "-", exact[static_cast<Eigen::Index>(i)]);
      // The pixels' 1089 draws leave standard errors of at most 6 % and 0.03.
      holds &= !queried || (std::abs(e.squared_gradient[i] / e.predicted_gradient[i] - 1) < 0.2 &&
                            std::abs(e.learned[i] - exact[static_cast<Eigen::Index>(i)]) < 0.1);
    }
  };
  print("Theorem 1, contexts drop a whole block", mask::Blocks{.rows = 1, .cols = 4}, {1, 1, 0, 0, 1, 1, 0, 0});
  print("Theorem 1, contexts of single pixels", mask::Pixels{.ratio = 0.7f, .query = 1.0f}, {1, 0, 0, 0, 1, 1, 0, 1});
  return holds;
}

/// Theorem 2. Five of eight positions are observed, each of them in the context with probability 0.7.
void theorem_2() {
  const Bytes observed{1, 0, 1, 1, 0, 0, 1, 1};
  const std::vector<double> values{0.9, 0, 0.4, -0.8, 0, 0, 0.3, 1.2};
  const theory::Level level{1, 0.01};
  const auto print = [&](const char* name, double shrink, double noise, double ratio) {
    const auto t = theory::ensemble_terms(
        line(), observed, values, level, theory::independent_contexts(observed, ratio),
        [shrink](const Bytes&, const Eigen::VectorXd& estimate) { return Eigen::VectorXd(-shrink * estimate); }, noise);
    std::printf("%-30s %6.3f %6.3f %6.3f %6.3f %6.3f %10.3f  %7.3f %7.3f  %7.3f %7.3f  %6.0f\n", name,
                t.information_gap.squaredNorm(), t.floor(), t.data_variance, t.bias_variance, t.noise_variance, t.neglected,
                t.by_theorem(1), t.exact(1), t.by_theorem(10), t.exact(10), t.members_enough());
  };
  std::printf("Theorem 2, summed over positions\n");
  std::printf("%-30s %6s %6s %6s %6s %6s %10s  %15s  %15s  %6s\n", "", "|gap|2", "floor", "data", "bias", "noise", "neglected",
              "K=1 thm, exact", "K=10 thm, exact", "enough");
  print("exact network, ratio 0.5", 0, 0, 0.5);
  print("exact network, ratio 0.7", 0, 0, 0.7);
  print("exact network, ratio 0.9", 0, 0, 0.9);
  print("shrinks by 20 %, ratio 0.7", 0.2, 0, 0.7);
  print("the same with noise, ratio 0.7", 0.2, 0.1, 0.7);
  const Bytes context{1, 0, 0, 1, 0, 0, 1, 0};
  const auto gap = theory::information_gap(line(), context, observed, level);
  std::printf("equation 11 for one context: %.6f = %.6f\n", gap.squared_difference, gap.variance_difference);
}

/// A field of 12 x 12 cells whose correlations fall as exp(-distance / 4), and a small network trained on 2000 samples of it.
constexpr int side = 12, trained_samples = 2000, trained_steps = 1500;

theory::ExponentialField small_field() { return {side, side, 4.0}; }

template <mask::MaskPolicy Policy>
struct Trained {
  Model<nn::UNet, Policy> model;

  Trained(const std::vector<std::uint8_t>& observed, const Policy& policy)
      : model(common::gaussian_model(mask::with_gaps(small_field().draw(trained_samples, 1), observed), policy,
                                     {.hidden = 8, .multipliers = {1, 2}},
                                     {.learning_rate = 3e-3,
                                      .latest_time = schedule::smallest_time,
                                      .threads = 1,
                                      .scale = {},
                                      .ensemble = {},
                                      .marks = {}})) {
    model.train({.steps = trained_steps});
  }
  Eigen::MatrixXd outputs(const train::Samples& samples, std::span<const sampler::Request> requests) {
    return common::estimates(model, samples, requests);
  }
};

/// Distance of networks from E[x0 | ctx], where their training could query and where it could not. One of 3 x 3 blocks is
/// missing.
bool theorem_1_trained() {
  constexpr int tests = 40;
  const auto field = small_field();
  const auto gaps = [&](int frames, std::uint64_t seed) { return mask::draw_blocks(field.grid(), frames, 3, 3, 1, seed); };
  const auto truth = field.draw(tests, 2);
  const auto observed = gaps(tests, 2);
  const auto dataset = common::gaussian_dataset(mask::with_gaps(truth, observed));
  const auto& samples = dataset->samples();
  const auto print = [&](const char* name, const auto& policy, bool exposes_all) {
    Trained experiment(gaps(trained_samples, 1), policy);
    const auto requests = sampler::draw_contexts(samples, policy, 1, 3);
    const auto outputs = experiment.outputs(samples, requests);
    double distance[2] = {0, 0}, variance[2] = {0, 0};
    for (Eigen::Index i = 0; i < outputs.cols(); ++i) {
      const auto at = static_cast<std::size_t>(i) * side * side;
      const theory::Mask context = requests[static_cast<std::size_t>(i)].context;
      const Eigen::MatrixXd gain = field.law().gain(context, {});
      const Eigen::VectorXd best = theory::conditional_mean(gain, context, std::span(truth.values).subspan(at, side * side));
      for (Eigen::Index j = 0; j < outputs.rows(); ++j) {
        const auto cell = static_cast<std::size_t>(j);
        if (context[cell] != 0) continue;
        const int exposed = exposes_all || observed[at + cell] != 0 ? 1 : 0;
        distance[exposed] += std::pow(outputs(j, i) - best[j], 2);
        variance[exposed] += 1.0 - gain.row(j).dot(field.law().covariance().col(j));
      }
    }
    std::printf("  %-26s %14.3f %20s\n", name, distance[1] / variance[1],
                variance[0] > 0 ? fixed(distance[0] / variance[0]).c_str() : "-");
    return std::pair{distance[1] / variance[1], variance[0] > 0 ? distance[0] / variance[0] : 0.0};
  };
  std::printf("Theorem 1, trained: distance from E[x0 | ctx] over Var[x0 | ctx]\n  %-26s %14s %20s\n", "", "where p_i > 0",
              "where p_i = 0");
  const auto blocks = print("contexts drop a block", mask::Blocks{}, true);
  const auto pixels = print("contexts of single pixels", mask::Pixels{.ratio = 0.7f, .query = 1.0f}, false);
  return blocks.first < 0.5 && pixels.first < 0.5 && pixels.second > 2 * pixels.first;
}

/// Theorem 2 on a network: its terms from contexts, and the error of ensembles of other contexts of the same observations.
bool theorem_2_trained() {
  constexpr int tests = 6, draws = 600;
  const auto field = small_field();
  const mask::Pixels policy{.ratio = 0.7f, .query = 0.7f};
  const auto truth = field.draw(tests, 2);
  const auto observed = mask::draw_pixels(field.grid(), tests, 0.3, 2);
  const auto dataset = common::gaussian_dataset(mask::with_gaps(truth, observed));
  const auto& samples = dataset->samples();
  Trained experiment(mask::draw_pixels(field.grid(), trained_samples, 0.3, 1), policy);
  const auto requests = sampler::draw_contexts(samples, policy, draws, 3);
  const auto outputs = experiment.outputs(samples, requests);
  const auto fresh = experiment.outputs(samples, sampler::draw_contexts(samples, policy, draws, 4));
  const int members[] = {1, 3, 10, 30};
  double theorem[4] = {}, exact[4] = {}, measured[4] = {};
  theory::EnsembleTerms mean{Eigen::VectorXd::Zero(0), Eigen::VectorXd::Zero(0)};
  double gap = 0, bias = 0, floor = 0;
  for (int i = 0; i < tests; ++i) {
    const auto at = static_cast<std::size_t>(i) * side * side;
    const auto values = std::span(truth.values).subspan(at, side * side);
    const auto mask = theory::Mask(observed).subspan(at, side * side);
    const Eigen::VectorXd best = theory::conditional_mean(field.law().gain(mask, {}), mask, values);
    theory::EnsembleSums sums(best.size());
    for (int k = 0; k < draws; ++k) {
      const theory::Mask context = requests[static_cast<std::size_t>(i * draws + k)].context;
      const Eigen::VectorXd estimate = theory::conditional_mean(field.law().gain(context, {}), context, values);
      sums.add(1.0 / draws, estimate, outputs.col(i * draws + k) - estimate);
    }
    const auto t = sums.terms(best);
    gap += t.information_gap.squaredNorm() / tests;
    bias += t.model_bias.squaredNorm() / tests;
    floor += t.floor() / tests;
    mean.data_variance += t.data_variance / tests;
    mean.bias_variance += t.bias_variance / tests;
    mean.neglected += t.neglected / tests;
    for (int m = 0; m < 4; ++m) {
      theorem[m] += t.by_theorem(members[m]) / tests;
      exact[m] += t.exact(members[m]) / tests;
      const int ensembles = draws / members[m];
      for (int e = 0; e < ensembles; ++e)
        measured[m] += (fresh.middleCols(i * draws + e * members[m], members[m]).rowwise().mean() - best).squaredNorm() /
                       (ensembles * tests);
    }
  }
  const double one = mean.data_variance + mean.bias_variance + mean.neglected;
  std::printf("Theorem 2 on a trained network, summed over positions\n");
  std::printf("  |gap|2 %.3f  |bias|2 %.3f  floor %.3f  data %.3f  bias %.3f  neglected %.3f  enough %.0f\n", gap, bias, floor,
              mean.data_variance, mean.bias_variance, mean.neglected, std::ceil(one / (0.1 * floor)));
  bool holds = true;
  for (int m = 0; m < 4; ++m) {
    std::printf("  K = %2d: theorem %.3f, with the covariance %.3f, measured %.3f\n", members[m], theorem[m], exact[m],
                measured[m]);
    holds &= std::abs(measured[m] / exact[m] - 1) < 0.1;
  }
  return holds;
}

/// Distance of a solver's end from the exact flow's.
template <class Solver>
double solver_error(const Solver& solver, int steps) {
  const schedule::VariancePreserving vp;
  const auto grid = sampler::time_grid(vp, {.steps = steps, .spacing = sampler::Spacing::log_snr});
  theory::Oracle oracle(line(), vp);
  const std::vector<double> nothing(positions, 0.0);
  const Bytes none(positions, std::uint8_t{0});
  std::vector<double> state(positions);
  sampler::Diffusion(vp, solver, grid)(oracle, sampler::Known<double>{nothing, none}, {}, std::span<double>(state));
  Eigen::VectorXd start(static_cast<Eigen::Index>(positions));
  sampler::draw_normals<double>({}, 0, {start.data(), positions});
  const auto from = theory::level_at(vp, grid.front()), to = theory::level_at(vp, grid.back());
  return (Eigen::Map<Eigen::VectorXd>(state.data(), start.size()) - theory::flow(line(), from, to, from.sigma * start)).norm();
}

void solvers() {
  std::printf("distance from the exact flow   20 steps   40 steps   80 steps  order\n");
  const auto print = [](const char* name, const auto& solver) {
    const double a = solver_error(solver, 20), b = solver_error(solver, 40), c = solver_error(solver, 80);
    std::printf("  %-26s %10.2e %10.2e %10.2e  %5.2f\n", name, a, b, c, std::log2(b / c));
  };
  print("first order", sampler::FirstOrder{});
  print("Heun", sampler::Heun{});
  print("DPM-Solver++ 2M", sampler::DpmSolver2M{});
  print("published update", sampler::Published{});
}

/// Samples given two observed ends, and how far their mean and variance are from the posterior's.
template <class Solver, class MakeDenoiser>
void print_samples(const char* name, const Solver& solver, const MakeDenoiser& with_denoiser, const std::vector<double>& path) {
  constexpr std::size_t members = 4000;
  const Bytes mask{1, 0, 0, 0, 0, 0, 0, 1};
  const std::vector<double> ends{1.5, 0, 0, 0, 0, 0, 0, 1.2};
  const auto law = line().given(mask, ends);
  std::vector<double> values, mean, state(members * positions);
  Bytes observed;
  for (std::size_t m = 0; m < members; ++m) {
    values.insert(values.end(), ends.begin(), ends.end());
    observed.insert(observed.end(), mask.begin(), mask.end());
    mean.insert(mean.end(), law.mean().begin(), law.mean().end());
  }
  with_denoiser(law, mean, [&](auto& denoiser) {
    sampler::Diffusion(schedule::VariancePreserving{}, solver, path)(denoiser, sampler::Known<double>{values, observed},
                                                                     {.count = members}, std::span<double>(state));
  });
  Eigen::Map<Eigen::MatrixXd> x(state.data(), positions, members);
  const Eigen::VectorXd centre = x.rowwise().mean();
  const double variance = (x.colwise() - centre).squaredNorm() / (members - 1);
  std::printf("  %-44s %10.3f %16.3f\n", name, (centre - law.mean()).norm() / law.mean().norm(), variance / law.total_variance());
}

void samples() {
  const schedule::VariancePreserving vp;
  const auto path = sampler::time_grid(vp, {.steps = 200});
  const auto posterior = [&](const theory::Gaussian& law, const auto&, const auto& run) {
    theory::Oracle oracle(law, vp);
    run(oracle);
  };
  const auto weighted = [&](double (*weight)(double)) {
    return [&vp, weight](const theory::Gaussian&, const std::vector<double>& mean, const auto& run) {
      theory::Oracle oracle(line(), vp);
      sampler::Posterior<decltype(oracle), double> denoiser(oracle, mean, weight);
      run(denoiser);
    };
  };
  std::printf("4000 samples, 200 steps                         mean error  variance / exact\n");
  print_samples("exact posterior denoiser, first order", sampler::FirstOrder{}, posterior, path);
  print_samples("exact posterior denoiser, ancestral", sampler::Ancestral{}, posterior, path);
  print_samples("exact posterior denoiser, published update", sampler::Published{}, posterior, path);
  print_samples("equation 28, no weight", sampler::FirstOrder{}, weighted(sampler::no_weight), path);
  print_samples("equation 28, linear weight", sampler::FirstOrder{}, weighted(sampler::linear_weight), path);
  print_samples("equation 28, quadratic weight", sampler::FirstOrder{}, weighted(sampler::quadratic_weight), path);
  print_samples("no weight, resampled 10 times", sampler::FirstOrder{}, weighted(sampler::no_weight),
                sampler::with_resampling(path, 10, 10));
}

}  // namespace

int main() {
  bool holds = theorem_1();
  holds &= theorem_1_trained();
  theorem_2();
  holds &= theorem_2_trained();
  solvers();
  samples();
  return holds ? 0 : 1;
}
