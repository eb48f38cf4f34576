#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "lacuna/core/progress.hpp"
#include "lacuna/core/version.hpp"
#include "lacuna/experiment/network_job.hpp"
#include "lacuna/fill/checkpoint.hpp"
#include "lacuna/fill/learner.hpp"
#include "lacuna/mask/adaptive_ratio.hpp"
#include "lacuna/sampler/draw_contexts.hpp"
#include "lacuna/sampler/multi_step.hpp"

namespace lacuna::experiment {

/// @brief What a trained network's contexts are at use.
struct Contexts {
  mask::AnyPolicy policy;
  int members = 1;
};

/// @brief A network of a job, its training and its fills, on a device.
template <class DeviceType = cpu::Device>
class Trained {
 public:
  /// Trains, or goes on from a checkpoint in `folder`, or takes a finished one.
  /// samples: what is learned from; it must outlive the object. Throws: DataError for a damaged checkpoint or one of another job,
  /// which stays as it is.
  Trained(DeviceType& device, const train::Samples& samples, const Job& job, const SetSettings& s, std::uint64_t seed,
          const std::filesystem::path& folder)
      : job_(job), settings_(s), seed_(seed), learner_(device, samples, {policy_of(job), 0.0f}, learner_settings(job, s, seed)) {
    const fill::Checkpoint checkpoint(folder, fingerprint(job, s));
    fill::Checkpoint::Run run{.training = {}, .threads = device.threads()};
    auto state = learner_.trainer().state();
    try {
      if (const auto found = checkpoint.load(learner_.parameters(), state)) {
        learner_.trainer().restore(std::move(state));
        run = *found;
      }
    } catch (const DataError& error) {
      throw DataError(text(error.what(), "; to have it trained anew, remove ", folder.string()));
    }
    train(checkpoint, run);
  }

  /// What is trained, and what its checkpoints belong to.
  static fill::LearnerSettings learner_settings(const Job& job, const SetSettings& s, std::uint64_t seed) {
    return {.network = job.network == "unet" ? s.unet : job.network,
            .hidden = s.hidden,
            .batch = s.batch,
            .crop = s.crop,
            .seed = seed,
            .learning_rate = s.learning_rate};
  }
  static fill::Fingerprint fingerprint(const Job& job, const SetSettings& s) {
    return {{"version", version}, {"settings", s.json().dump()}, {"job", job.training()}};
  }

  double seconds() const { return seconds_; }  ///< of training

  /// Fills the windows of test samples as the job says: normalised values (T, H, W, V). Throws: OptionError for a use that there
  /// is not.
  std::vector<float> fill(const train::Samples& samples) {
    auto evaluate = learner_.sampler(samples);
    const auto parts = split(job_.use);
    return parts[0] == "steps" ? in_steps(evaluate, parts) : at_once(evaluate, contexts());
  }

 private:
  using Sampler = typename fill::Learner<DeviceType>::Sampler;

  void train(const fill::Checkpoint& checkpoint, fill::Checkpoint::Run kept) {
    constexpr double save_every = 60;  // seconds
    seconds_ = kept.training.seconds;
    if (learner_.trainer().steps_done() >= settings_.steps) return;
    Progress progress;
    fill::TrainingRun run(learner_, {.steps = settings_.steps}, progress);
    run.resume(kept.training);
    double saved = kept.training.seconds;
    const auto save = [&] {
      kept.training = run.state();
      seconds_ = saved = kept.training.seconds;
      checkpoint.save(learner_.parameters(), learner_.trainer().state(), kept);
    };
    run([] { return 0.0; }, [&](std::int64_t) {  // no score: the number of steps ends it
      if (run.seconds() - saved > save_every) save();
    });
    save();
    std::printf("  trained %s, seed %llu: %d steps in %.0f s\n", job_.training().c_str(), static_cast<unsigned long long>(seed_),
                settings_.steps, seconds_);
    std::fflush(stdout);
  }

  Contexts contexts() const {
    const mask::AnyPolicy policy = policy_of(job_);
    if (job_.use == "mask") return {mask::AnyPolicy{mask::Observed{}}, 1};
    if (job_.use == "one") return {policy, 1};
    if (job_.use == "contexts") return {policy, settings_.members};
    require<OptionError>(job_.use == "adapted", "use ", job_.use, ": expected contexts, mask, one, adapted or steps:N");
    const Gaps learned(job_.gaps), found(job_.filled_gaps());
    require<OptionError>(!learned.blocks && !found.blocks, "use adapted: of pixels alone, not of ", job_.gaps, " and ",
                         job_.filled_gaps());
    require<OptionError>(job_.method == "ours", "use adapted: of the objective ours alone, not of ", job_.method);
    const auto adapted =
        mask::adapted_ratio({.density = learned.observed / 100.0, .ratio = published_share}, found.observed / 100.0);
    if (!adapted.warning.empty()) std::printf("  %s: %s\n", job_.key().c_str(), adapted.warning.c_str());
    return {mask::AnyPolicy{mask::Pixels{.ratio = static_cast<float>(adapted.ratio)}}, settings_.members};
  }

  std::vector<float> at_once(Sampler& evaluate, const Contexts& contexts) const {
    const train::Samples& samples = evaluate.samples();
    const std::size_t size = samples.fields().frame_size() * static_cast<std::size_t>(samples.length());
    std::vector<float> out(samples.fields().values.size(), 0.0f);
    const auto requests = sampler::draw_contexts(samples, contexts.policy, contexts.members, seed_);
    evaluate(requests, [&](std::size_t i, const sampler::Estimate& e) {
      float* to = out.data() + static_cast<std::size_t>(requests[i].window) * size;
      for (std::size_t j = 0; j < size; ++j) to[j] += (e.background[j] + e.anomaly[j]) / static_cast<float>(contexts.members);
    });
    return out;
  }

  /// steps:N[:weight[:solver[:spacing[:closing]]]].
  std::vector<float> in_steps(Sampler& evaluate, std::vector<std::string> parts) const {
    const std::array<std::string, 6> usual{"steps", "", "linear", "first-order", "time", "0"};
    require<OptionError>(parts.size() >= 2 && parts.size() <= usual.size(), "use ", job_.use,
                         ": expected steps:N, and after it a weight, a solver, a spacing and a number of closing contexts");
    for (std::size_t i = parts.size(); i < usual.size(); ++i) parts.push_back(usual[i]);
    const schedule::VariancePreserving schedule;
    const auto spacing =
        one_of<sampler::Spacing>("spacing", parts[4], {{"time", sampler::Spacing::time}, {"log-snr", sampler::Spacing::log_snr}});
    const auto path = sampler::time_grid(schedule, {.steps = whole(parts[1]), .spacing = spacing});
    const bool rival = job_.method == "missdiff" || job_.method == "ambientdiff";  // they know no ensemble of contexts
    sampler::MultiStepSettings s{.seed = seed_, .contexts = rival ? 1 : settings_.members, .closing_masks = whole(parts[5])};
    s.weight = one_of<double (*)(double)>(
        "weight", parts[2],
        {{"none", sampler::no_weight}, {"linear", sampler::linear_weight}, {"quadratic", sampler::quadratic_weight}});
    const auto sample = [&](const auto& solver) {
      sampler::MultiStep draw(evaluate, policy_of(job_), sampler::Diffusion(schedule, solver, path), s);
      std::vector<float> out;
      const int windows = static_cast<int>(evaluate.samples().windows().size());
      Progress progress;
      for (int w = 0; w < windows; ++w) {
        const auto filled = draw(w, 0, 1);
        out.insert(out.end(), filled.begin(), filled.end());
        progress.show("sampling", static_cast<double>(w + 1) / windows);
      }
      return out;
    };
    using Solve = std::function<std::vector<float>()>;
    return one_of<Solve>("solver", parts[3],
                         {{"first-order", [&] { return sample(sampler::FirstOrder{}); }},
                          {"published", [&] { return sample(sampler::Published{}); }},
                          {"second-order", [&] { return sample(sampler::DpmSolver2M{}); }}})();
  }

  int whole(const std::string& word) const {
    int number = 0;
    const auto end = std::from_chars(word.data(), word.data() + word.size(), number);
    require<OptionError>(!word.empty() && end.ec == std::errc() && end.ptr == word.data() + word.size(), "use ", job_.use, ": ",
                         word, " is no whole number");
    return number;
  }

  template <class T>
  static T one_of(const char* what, const std::string& word, const std::vector<std::pair<std::string, T>>& known) {
    std::string names;
    for (const auto& [name, value] : known) {
      if (name == word) return value;
      names += (names.empty() ? "" : ", ") + name;
    }
    throw OptionError(text(what, " ", word, ": expected one of ", names));
  }

  Job job_;
  SetSettings settings_;
  std::uint64_t seed_;
  fill::Learner<DeviceType> learner_;
  double seconds_ = 0;
};

/// @brief Trains a job's network, or takes it as it was left, and fills. Throws as Trained.
template <class DeviceType>
NetworkFill train_and_fill(DeviceType& device, const NetworkJob& job) {
  using Clock = std::chrono::steady_clock;
  Trained network(device, job.learned, job.job, job.settings, job.seed, job.folder);
  const auto start = Clock::now();
  NetworkFill done{.values = network.fill(job.found), .training = network.seconds(), .device = device.name()};
  done.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return done;
}

}  // namespace lacuna::experiment
