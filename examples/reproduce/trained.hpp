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
#include <memory>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "common/progress_bar.hpp"
#include "lacuna/mask/adaptive_ratio.hpp"
#include "lacuna/model/model.hpp"
#include "lacuna/model/network.hpp"
#include "lacuna/sampler/draw_contexts.hpp"
#include "lacuna/sampler/multi_step.hpp"
#include "reproduce/network_job.hpp"

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
  using Policy = mask::LostPlanes<mask::AnyPolicy>;
  using ModelType =
      Model<model::AnyNetwork<DeviceType>, Policy, schedule::VariancePreserving, schedule::DataMatching, DeviceType>;

  /// Trains, or goes on from a checkpoint in `folder`, or takes a finished one.
  /// Throws: DataError for a damaged checkpoint or one of another job, which stays as it is.
  Trained(std::shared_ptr<DeviceType> device, const std::shared_ptr<const Dataset>& data, const Job& job, const SetSettings& s,
          std::uint64_t seed, const std::filesystem::path& folder)
      : job_(job),
        settings_(s),
        seed_(seed),
        model_(data, model::NetworkFactory<DeviceType>{network_of(job, s)}, Policy{policy_of(job), 0.0f},
               model_settings(job, s, seed), {}, {}, std::move(device)) {
    Bar observer;
    try {
      model_.train(budget(s), observer, {.folder = folder, .save_every = 60, .resume = true});
    } catch (const DataError& error) {
      throw DataError(text(error.what(), "; to have it trained anew, remove ", folder.string()));
    }
    if (!observer.trained) return;
    std::printf("  trained %s, seed %llu: %d steps in %.0f s\n", job_.training().c_str(), static_cast<unsigned long long>(seed_),
                settings_.steps, seconds());
    std::fflush(stdout);
  }

  /// What is trained.
  static NetworkSettings network_of(const Job& job, const SetSettings& s) {
    const std::string name = job.network == "unet" ? s.unet : job.network;
    return {.kind = one_of<NetworkKind>(
                "network", name,
                {{"unet", NetworkKind::unet}, {"space-time-unet", NetworkKind::space_time_unet}, {"fno", NetworkKind::fno}}),
            .hidden = s.hidden};
  }
  /// And how, and what its checkpoints belong to.
  static ModelSettings model_settings(const Job& job, const SetSettings& s, std::uint64_t seed) {
    return {.batch = s.batch,
            .crop = s.crop,
            .seed = seed,
            .learning_rate = s.learning_rate,
            .local = network_of(job, s).kind == NetworkKind::unet,
            .allow_unexposed = true,  // competing methods leave positions unexposed: that is what the tables show
            .scale = {},
            .ensemble = {},
            .marks = {{"settings", s.json().dump()}, {"job", job.training()}}};
  }
  static lacuna::Budget budget(const SetSettings& s) { return {.steps = s.steps}; }

  double seconds() const { return model_.training_seconds(); }  ///< of training

  /// Fills the windows of test samples as the job says: normalised values (T, H, W, V). Throws: OptionError for a use that there
  /// is not.
  std::vector<float> fill(const train::Samples& samples) {
    auto evaluate = model_.sampler(samples);
    const auto parts = split(job_.use);
    return parts[0] == "steps" ? in_steps(evaluate, parts) : at_once(evaluate, contexts());
  }

 private:
  using Sampler = typename ModelType::Sampler;

  /// Shows how far the training is.
  class Bar final : public Observer {
   public:
    bool trained = false;
    void progresses(const StageProgress& p) override {
      trained = true;
      bar_.step(p.done, p.steps, p.loss, p.seconds);
    }

   private:
    common::ProgressBar bar_;
  };

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
      common::ProgressBar progress;
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
  ModelType model_;
};

/// @brief Trains a job's network, or takes it as it was left, and fills. Throws as Trained.
template <class DeviceType>
NetworkFill train_and_fill(const std::shared_ptr<DeviceType>& device, const NetworkJob& job) {
  using Clock = std::chrono::steady_clock;
  Trained network(device, job.learned, job.job, job.settings, job.seed, job.folder);
  const auto start = Clock::now();
  NetworkFill done{.values = network.fill(job.found), .training = network.seconds(), .device = device->name()};
  done.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return done;
}

}  // namespace lacuna::experiment
