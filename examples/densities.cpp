// Prints the table of docs/contexts.md: a network trained on data of one density, used at others, on Gaussian fields whose exact
// error is known. `densities STEPS` trains for another number of steps.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "common/gaussian_model.hpp"
#include "lacuna/mask/adaptive_ratio.hpp"
#include "lacuna/mask/pixels.hpp"
#include "lacuna/nn/unet.hpp"
#include "lacuna/sampler/draw_contexts.hpp"
#include "lacuna/theory/gaussian.hpp"

namespace {

using namespace lacuna;

constexpr int side = 16, cells = side * side, training_frames = 1000, test_frames = 24;
constexpr mask::TrainedRatio trained{.density = 0.8, .ratio = 0.5};

/// Correlations that fall as exp(-distance / 4), deviation 1.
theory::Gaussian law() {
  Eigen::MatrixXd covariance(cells, cells);
  for (int i = 0; i < cells; ++i)
    for (int j = 0; j < cells; ++j) covariance(i, j) = std::exp(-std::hypot(i / side - j / side, i % side - j % side) / 4.0);
  return {Eigen::VectorXd::Zero(cells), covariance};
}

/// Frame `number` of the law, whole.
Eigen::VectorXd frame(const Eigen::MatrixXd& root, std::uint64_t number) {
  return root * theory::standard_normal(cells, philox_key(1, Purpose::initial), number);
}

/// Frames first .. first + count - 1, each cell observed with the probability `density`.
data::Fields gappy(const Eigen::MatrixXd& root, std::uint64_t first, int count, double density) {
  data::Fields f;
  for (int i = 0; i < side; ++i) f.grid.y.push_back(i), f.grid.x.push_back(i);
  f.names = {"x"};
  for (int t = 0; t < count; ++t) {
    f.time.push_back(t);
    const auto number = first + static_cast<std::uint64_t>(t);
    const Eigen::VectorXd x = frame(root, number);
    for (int i = 0; i < cells; ++i) {
      const float u = uniform(philox(philox_key(1, Purpose::gaps), number, static_cast<std::uint64_t>(i))[0]);
      f.values.push_back(static_cast<double>(u) < density ? static_cast<float>(x[i]) : data::not_observed);
    }
  }
  return f;
}

using NetworkModel = Model<nn::UNet, mask::Pixels>;

/// A small UNet, trained on data of the density `trained.density` with the contexts of a policy.
NetworkModel trained_model(const data::Fields& gappy, const mask::Pixels& policy) {
  return common::gaussian_model(gappy, policy, {.hidden = 16, .multipliers = {1, 2}},
                                {.learning_rate = 2e-3, .scale = {}, .ensemble = {}, .marks = {}});
}

/// Mean squared error at missing cells, with `members` contexts of each mask.
template <mask::MaskPolicy Contexts>
double error(NetworkModel& model, const train::Samples& samples, const Eigen::MatrixXd& root, const Contexts& contexts,
             int members) {
  const auto outputs = common::estimates(model, samples, sampler::draw_contexts(samples, contexts, members, 1));
  double squares = 0, count = 0;
  for (int w = 0; w < test_frames; ++w) {
    const auto& observed = samples.windows()[static_cast<std::size_t>(w)].masks.observed;
    const Eigen::VectorXd mean = outputs.middleCols(w * members, members).rowwise().mean();
    const Eigen::VectorXd truth = frame(root, static_cast<std::uint64_t>(training_frames + w));
    for (int i = 0; i < cells; ++i) {
      if (observed[static_cast<std::size_t>(i)] != 0) continue;
      squares += (mean[i] - truth[i]) * (mean[i] - truth[i]);
      count += 1;
    }
  }
  return squares / count;
}

/// The least mean squared error that any method can have at the missing cells: the posterior's variance.
double exact_error(const theory::Gaussian& prior, const train::Samples& samples) {
  double squares = 0, count = 0;
  const std::vector<double> any(cells, 0.0);  // the variance does not depend on the values
  for (int w = 0; w < test_frames; ++w) {
    const auto& observed = samples.windows()[static_cast<std::size_t>(w)].masks.observed;
    squares += prior.given(observed, any).total_variance();
    count += static_cast<double>(std::count(observed.begin(), observed.end(), std::uint8_t{0}));
  }
  return squares / count;
}

}  // namespace

int main(int argc, char** argv) {
  const int steps = argc > 1 ? std::atoi(argv[1]) : 1500;
  const auto prior = law();
  const auto root = prior.root();
  const auto training = gappy(root, 0, training_frames, trained.density);
  const mask::Pixels fixed{.ratio = static_cast<float>(trained.ratio)};
  auto by_fixed = trained_model(training, fixed), by_random = trained_model(training, mask::Pixels::random_ratio()),
       by_wide = trained_model(training, mask::Pixels::random_ratio(0.1f));
  for (auto* model : {&by_fixed, &by_random, &by_wide}) model->train({.steps = steps});
  std::printf("mean squared error at missing cells, trained at density %.1f for %d steps\n", trained.density, steps);
  std::printf("density   exact  ratio 0.5  adapted (ratio)    M itself  random 0.5..1, M  random 0.1..1, M\n");
  bool holds = true;
  for (const double density : {0.95, 0.8, 0.6, 0.4, 0.2}) {
    const auto dataset = common::gaussian_dataset(gappy(root, training_frames, test_frames, density));
    const auto& test = dataset->samples();
    const auto adapted = mask::adapted_ratio(trained, density);
    const double exact = exact_error(prior, test), plain = error(by_fixed, test, root, fixed, 10),
                 fitted = error(by_fixed, test, root, mask::Pixels{.ratio = static_cast<float>(adapted.ratio)}, 10),
                 self = error(by_fixed, test, root, mask::Observed{}, 1),
                 random = error(by_random, test, root, mask::Observed{}, 1),
                 wide = error(by_wide, test, root, mask::Observed{}, 1);
    std::printf("%7.2f %7.3f %10.3f %8.3f (%.2f) %11.3f %16.3f %16.3f%s\n", density, exact, plain, fitted, adapted.ratio, self,
                random, wide, adapted.warning.empty() ? "" : "  (*)");
    if (!adapted.warning.empty()) std::printf("    (*) %s\n", adapted.warning.c_str());
    for (const double error : {plain, fitted, self, random, wide}) holds &= error > 0.8 * exact && error < 1;
  }
  return holds ? 0 : 1;
}
