// Accuracy against the limit: trains the same network with each objective on incomplete samples of a Gaussian field, and holds
// its mean squared error on the missing points against the best that is possible, which is closed form there (docs/theory.md). A
// check that fails makes the exit code 1.

#include <CLI/CLI.hpp>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "common/gaussian_model.hpp"
#include "lacuna/mask/draw.hpp"
#include "lacuna/mask/objectives.hpp"
#include "lacuna/mask/pixels.hpp"
#include "lacuna/sampler/draw_contexts.hpp"
#include "lacuna/theory/fields.hpp"

namespace {

using namespace lacuna;

struct Options {
  std::vector<std::string> gaps{"pixels", "blocks"}, objectives{"ours", "missdiff", "ambientdiff", "pixel-contexts"};
  double minutes = 10;
  std::int64_t steps = 0, look = 0;
  int side = 32, samples = 5000, tests = 200, hidden = 32, batch = 16, threads = 0;
  double length = 8, observed = 0.2, lower = 0.7, learning_rate = 1e-3, latest_time = schedule::smallest_time;
  double at_most = 0, missdiff_worse = 0;
  std::uint64_t seed = 1;
};

/// Test samples, and the best estimate of each.
struct Case {
  data::Fields truth;
  std::vector<std::uint8_t> observed;
  std::shared_ptr<const Dataset> dataset;
  Eigen::MatrixXd best;    ///< (H W, tests) E[x0 | obs]
  double least_error = 0;  ///< expected error of `best`: the mean of Var[x0 | obs] over missing points

  Case(const theory::ExponentialField& field, data::Fields complete, std::vector<std::uint8_t> mask)
      : truth(std::move(complete)),
        observed(std::move(mask)),
        dataset(common::gaussian_dataset(mask::with_gaps(truth, observed))),
        best(field.law().size(), truth.frames()) {
    const auto n = static_cast<std::size_t>(best.rows());
    std::map<std::string, Eigen::MatrixXd> gains;  // block masks come again and again
    double missing = 0;
    for (Eigen::Index i = 0; i < best.cols(); ++i) {
      const auto m = mask_of(i);
      const std::string key(m.begin(), m.end());
      if (gains.count(key) == 0) {
        if (gains.size() > 16) gains.clear();
        gains[key] = field.law().gain(m, {});
      }
      const Eigen::MatrixXd& gain = gains[key];
      best.col(i) = theory::conditional_mean(gain, m, std::span(truth.values).subspan(static_cast<std::size_t>(i) * n, n));
      for (Eigen::Index j = 0; j < best.rows(); ++j) {
        if (m[static_cast<std::size_t>(j)] != 0) continue;
        least_error += 1.0 - gain.row(j).dot(field.law().covariance().col(j));
        missing += 1;
      }
    }
    least_error /= missing;
  }
  theory::Mask mask_of(Eigen::Index i) const {
    const auto n = static_cast<std::size_t>(best.rows());
    return std::span(observed).subspan(static_cast<std::size_t>(i) * n, n);
  }
};

/// Errors over the missing points of all test samples.
struct Score {
  double error = 0, best_error = 0;  ///< mean squared, of an estimate and of the best one on the same samples
  double distance = 0;               ///< mean squared, between the two

  double ratio() const { return error / best_error; }
};

Score score(const Case& c, const Eigen::MatrixXd& estimate) {
  Score s;
  double count = 0;
  for (Eigen::Index i = 0; i < estimate.cols(); ++i) {
    const auto m = c.mask_of(i);
    for (Eigen::Index j = 0; j < estimate.rows(); ++j) {
      if (m[static_cast<std::size_t>(j)] != 0) continue;
      const auto x = static_cast<double>(c.truth.values[static_cast<std::size_t>(i * estimate.rows() + j)]);
      s.error += std::pow(estimate(j, i) - x, 2);
      s.best_error += std::pow(c.best(j, i) - x, 2);
      s.distance += std::pow(estimate(j, i) - c.best(j, i), 2);
      count += 1;
    }
  }
  return {s.error / count, s.best_error / count, s.distance / count};
}

/// The mean over contexts of every test sample.
template <class ModelType, mask::MaskPolicy Policy>
Eigen::MatrixXd impute(ModelType& model, const Case& c, const Policy& contexts, int members) {
  const auto& samples = c.dataset->samples();
  const auto outputs = common::estimates(model, samples, sampler::draw_contexts(samples, contexts, members, 1));
  Eigen::MatrixXd mean(outputs.rows(), c.best.cols());
  for (Eigen::Index i = 0; i < mean.cols(); ++i) mean.col(i) = outputs.middleCols(i * members, members).rowwise().mean();
  return mean;
}

/// Trains with one objective within the budget.
template <class ModelType>
void train(ModelType& model, const Options& o, const Case& c) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  const train::LearningRate rate{.peak = o.learning_rate};
  while (true) {
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    const double done =
        o.steps > 0 ? static_cast<double>(model.steps_done()) / static_cast<double>(o.steps) : seconds / (60.0 * o.minutes);
    if (done >= 1) break;
    const double loss = model.trainer().step(rate(done));
    if (o.look == 0 || model.steps_done() % o.look != 0) continue;
    std::printf("    step %lld, %.0f s: loss %.4f, M itself %.3f x the best\n", static_cast<long long>(model.steps_done()),
                seconds, loss, 1 + score(c, impute(model, c, mask::Observed{}, 1)).distance / c.least_error);
    std::fflush(stdout);
  }
}

/// Runs the objectives on one kind of gaps and keeps their ratios.
class Comparison {
 public:
  Comparison(const Options& o, const theory::ExponentialField& field, const std::string& gaps)
      : o_(o),
        gaps_(gaps),
        gappy_(mask::with_gaps(field.draw(o.samples, o.seed), hidden(field, o.samples, o.seed))),
        case_(field, field.draw(o.tests, o.seed + 1), hidden(field, o.tests, o.seed + 1)) {
    std::printf("%s: %d training samples, %d test samples; the best possible error is %.4f\n", gaps.c_str(), o.samples, o.tests,
                case_.least_error);
  }

  void operator()(const std::string& objective) {
    const mask::Pixels fixed{.ratio = 0.7f}, random = mask::Pixels::random_ratio(static_cast<float>(o_.lower));
    const mask::Blocks blocks;
    const bool pixels = gaps_ == "pixels";
    if (objective == "ours" && pixels)
      run(objective, random, "the mask itself", mask::Observed{}, 1, "10 contexts, ratio 0.7", fixed, 10);
    else if (objective == "ours")
      run(objective, blocks, "10 contexts", blocks, 10, "the mask itself", mask::Observed{}, 1);
    else if (objective == "missdiff")
      run(objective, mask::MissDiff{}, "the mask itself", mask::Observed{}, 1);
    else if (objective == "ambientdiff" && pixels)
      run(objective, mask::AmbientDiff<mask::Pixels>{fixed}, "one context", fixed, 1, "the mask itself", mask::Observed{}, 1);
    else if (objective == "ambientdiff")
      run(objective, mask::AmbientDiff<mask::Blocks>{blocks}, "one context", blocks, 1, "the mask itself", mask::Observed{}, 1);
    else if (objective == "pixel-contexts" && !pixels)
      run(objective, fixed, "10 contexts, ratio 0.7", fixed, 10, "the mask itself", mask::Observed{}, 1);
  }

  /// Ratio to the best of an objective's first way of imputing; 0 if it was not run.
  double ratio(const std::string& objective) const {
    const auto found = ratios_.find(objective);
    return found == ratios_.end() ? 0 : found->second;
  }

 private:
  std::vector<std::uint8_t> hidden(const theory::ExponentialField& field, int frames, std::uint64_t seed) const {
    return gaps_ == "pixels" ? mask::draw_pixels(field.grid(), frames, o_.observed, seed)
                             : mask::draw_blocks(field.grid(), frames, 3, 3, 1, seed);
  }

  /// Trains once and imputes in one way, or several.
  template <mask::MaskPolicy Objective, class... Ways>
  void run(const std::string& name, const Objective& objective, const Ways&... ways) {
    auto model = common::gaussian_model(gappy_, objective, {.hidden = o_.hidden},
                                        {.batch = o_.batch,
                                         .seed = o_.seed,
                                         .latest_time = o_.latest_time,
                                         .threads = o_.threads,
                                         .scale = {},
                                         .ensemble = {},
                                         .marks = {}});
    train(model, o_, case_);
    impute_and_print(name, model, ways...);
  }
  template <class ModelType, mask::MaskPolicy Policy, class... More>
  void impute_and_print(const std::string& name, ModelType& model, const char* way, const Policy& contexts, int members,
                        const More&... more) {
    const Score s = score(case_, impute(model, case_, contexts, members));
    std::printf("  %-16s %-24s %7lld steps  error %.4f  the best on the same samples %.4f  ratio %.3f  1 + distance %.3f\n",
                name.c_str(), way, static_cast<long long>(model.steps_done()), s.error, s.best_error, s.ratio(),
                1 + s.distance / case_.least_error);
    std::fflush(stdout);
    ratios_.try_emplace(name, s.ratio());
    if constexpr (sizeof...(more) > 0) impute_and_print(name, model, more...);
  }

  Options o_;
  std::string gaps_;
  data::Fields gappy_;
  Case case_;
  std::map<std::string, double> ratios_;
};

void declare(CLI::App& app, Options& o) {
  app.add_option("--gaps", o.gaps, "what is missing")->check(CLI::IsMember({"pixels", "blocks"}))->capture_default_str();
  app.add_option("--objectives", o.objectives, "what is trained; pixel-contexts: the wrong contexts for blocks")
      ->check(CLI::IsMember({"ours", "missdiff", "ambientdiff", "pixel-contexts"}))
      ->capture_default_str();
  app.add_option("--minutes", o.minutes, "training time of each")->capture_default_str();
  app.add_option("--steps", o.steps, "training steps of each, instead of a time");
  app.add_option("--look", o.look, "print the error every so many steps");
  app.add_option("--side", o.side, "rows and columns")->capture_default_str();
  app.add_option("--length", o.length, "of the correlation, cells")->capture_default_str();
  app.add_option("--observed", o.observed, "share of the pixels")->capture_default_str();
  app.add_option("--samples", o.samples, "to train on")->capture_default_str();
  app.add_option("--tests", o.tests, "samples to score on")->capture_default_str();
  app.add_option("--hidden", o.hidden, "width of the network")->capture_default_str();
  app.add_option("--batch", o.batch, "samples a step")->capture_default_str();
  app.add_option("--lower", o.lower, "pixel contexts have a ratio from this to 1")->capture_default_str();
  app.add_option("--learning-rate", o.learning_rate, "at its peak")->capture_default_str();
  app.add_option("--latest-time", o.latest_time, "noise levels trained on: 1 is the paper's")->capture_default_str();
  app.add_option("--threads", o.threads, "0: all")->capture_default_str();
  app.add_option("--seed", o.seed, "of everything")->capture_default_str();
  app.add_option("--at-most", o.at_most, "fail if ours is above this many times the best");
  app.add_option("--missdiff-worse", o.missdiff_worse, "fail unless MissDiff is this many times ours on blocks");
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Errors of the objectives over the best possible on a Gaussian field"};
  Options o;
  declare(app, o);
  CLI11_PARSE(app, argc, argv);
  bool holds = true;
  const theory::ExponentialField field(o.side, o.side, o.length);
  for (const auto& gaps : o.gaps) {
    Comparison compare(o, field, gaps);
    for (const auto& objective : o.objectives) compare(objective);
    const double ours = compare.ratio("ours"), missdiff = compare.ratio("missdiff");
    holds &= o.at_most == 0 || ours <= o.at_most;
    holds &= o.missdiff_worse == 0 || gaps != "blocks" || missdiff >= o.missdiff_worse * ours;
  }
  if (!holds) std::printf("a check failed\n");
  return holds ? 0 : 1;
}
