#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "lacuna/fill/calibration.hpp"
#include "lacuna/fill/learner.hpp"
#include "lacuna/fill/memory.hpp"
#include "lacuna/ops/kernel_cache.hpp"

namespace lacuna::fill {

/// @brief What imputation will ask of a network, as far as it decides memory.
struct Workload {
  std::vector<std::size_t> batches;  ///< requests at once
  std::size_t members = 0;           ///< of the ensemble
  std::size_t states = 0;            ///< samples of the posterior that are drawn at once
  std::size_t scored = 0;            ///< withheld values that members are kept of
  std::size_t values = 0;            ///< of all fields to fill
};

/// @brief The workload of a run that scores so many windows with so many withheld values, and fills fields of so many values.
/// Where the number of members is yet to be chosen, it is planned for as many as there may be.
inline Workload workload(const Options& o, std::size_t windows, std::size_t scored, std::size_t values) {
  const auto members = static_cast<std::size_t>(o.samples > 0 ? o.samples : o.members == 0 ? MembersNeeded::most : o.members);
  Workload work{.batches = {1, windows, members}, .members = members, .scored = scored, .values = values};
  if (o.samples == 0) return work;
  work.states = std::min(samples_at_once, members);
  work.batches = {1, windows, work.states, members % samples_at_once,
                  static_cast<std::size_t>(sampler::MultiStepSettings{}.contexts)};
  return work;
}

/// @brief Plans training and imputation without computing and returns the peak memory to expect, in bytes.
///
/// What is resident once parameters, buffers and primitives exist, the arena (where it is the host's), and per value of all
/// fields: the samples of all observations (13 bytes), sums over windows (10), results (9) and the file in memory (9); a byte a
/// context and value of a window; 22 bytes a state and value of a window; 8 bytes a member of each withheld value that members
/// are kept of; the withheld values, and a fold of them.
template <class LearnerType>
std::size_t plan_memory(const train::Samples& samples, LearnerType& learner, const Workload& work) {
  auto& device = learner.device();
  device.release();
  trim_memory();
  learner.trainer().plan();
  auto sampler = learner.sampler(samples);
  std::size_t requests = 0;
  for (const std::size_t count : work.batches) {
    sampler.plan(static_cast<int>(count));
    requests = std::max(requests, count);
  }
  constexpr std::size_t bytes_per_value = 41, bytes_per_state = 22, bytes_per_member = 8;
  const std::size_t window = samples.fields().frame_size() * static_cast<std::size_t>(samples.length());
  return resident_memory() + device.host_bytes() + work.values * bytes_per_value +
         window * (requests + work.states * bytes_per_state) +
         std::min(EnsembleValues::most_kept, work.scored) * work.members * bytes_per_member +
         work.scored * sizeof(EnsembleValue) * 3 / 2;
}

/// @brief One way to train, and the peak memory that it is planned to take.
struct MemoryPlan {
  LearnerSettings settings;
  std::size_t bytes = 0;
};

/// @brief What fits into a limit: plans of smaller and smaller batches, and of a smaller crop and network, each with activations
/// kept and computed again. The bytes are those of plan_memory() and what that misses of a run, a few percent.
template <class DeviceType = cpu::Device>
class MemoryQuestion {
 public:
  /// policy: any that may be trained with. The samples must outlive the question.
  MemoryQuestion(const train::Samples& samples, const Policy& policy, int threads, const Workload& work)
      : samples_(samples), policy_(policy), threads_(threads), work_(work), scale_(samples.fields().names.size(), 1.0f) {}

  /// @brief Plans every combination: batches from the settings' own down to one, then the least batch with half the crop and with
  /// half the width. batches: only the settings' own where false.
  std::vector<MemoryPlan> operator()(const LearnerSettings& settings, bool batches) const {
    std::vector<LearnerSettings> all;
    LearnerSettings s = settings;
    for (; s.batch > 1 && batches; s.batch /= 2) all.push_back(s);
    all.push_back(s);
    for (const auto& smaller : {with_half_crop(s), with_half_width(s)})
      if (smaller) all.push_back(*smaller);
    std::vector<MemoryPlan> plans;
    const NoKernelsKept each_its_own;
    for (auto& one : all)
      for (const bool recompute : {false, true}) {
        one.recompute = recompute;
        plans.push_back({one, plan(one)});
      }
    return plans;
  }

  /// @brief The largest batch that fits with these settings' crop, width and recomputation (plans as from operator()).
  /// Throws: OptionError that tells the least these take and which other plans would fit.
  static LearnerSettings choose(const std::vector<MemoryPlan>& plans, const LearnerSettings& settings, std::size_t limit) {
    const MemoryPlan* least = &plans.front();
    std::string others;
    for (const auto& p : plans) {
      const bool same =
          p.settings.crop == settings.crop && p.settings.hidden == settings.hidden && p.settings.recompute == settings.recompute;
      if (same && p.bytes <= limit) return p.settings;
      if (same) least = &p;
      if (p.bytes <= limit) others += text(others.empty() ? "" : ", or ", options(p, settings), " (", megabytes(p.bytes), ")");
    }
    throw OptionError(text("--memory ", megabytes(limit), ": ", options(*least, settings), " would take ",
                           megabytes(least->bytes),
                           others.empty() ? "; nothing that was tried fits" : "; what would fit: ", others));
  }

  /// @brief A table of the plans; * marks those within the limit.
  static void print(const std::vector<MemoryPlan>& plans, std::size_t limit, std::FILE* out) {
    std::fprintf(out, "planned peak memory (* within %s)\n  batch   crop  hidden  recompute\n", megabytes(limit).c_str());
    for (const auto& p : plans)
      std::fprintf(out, "  %5d  %5s  %6d  %9s  %12s %s\n", p.settings.batch,
                   p.settings.crop == 0 ? "whole" : text(p.settings.crop).c_str(), p.settings.hidden,
                   p.settings.recompute ? "yes" : "no", megabytes(p.bytes).c_str(), p.bytes <= limit ? "*" : "");
  }

 private:
  static std::string megabytes(std::size_t bytes) { return text((bytes + 500000) / 1000000, " MB"); }

  std::optional<LearnerSettings> with_half_crop(LearnerSettings s) const {
    constexpr int smallest = 16;
    const auto& grid = samples_.fields().grid;
    const int now = s.crop == 0 ? std::max(grid.height(), grid.width()) : s.crop;
    s.crop = now / 8 * 4;  // whole steps of the UNets
    if (s.network == "fno" || s.crop < smallest) return std::nullopt;
    return s;
  }
  static std::optional<LearnerSettings> with_half_width(LearnerSettings s) {
    constexpr int smallest = 4;
    s.hidden = s.hidden / 4 * 2;
    if (s.hidden < smallest) return std::nullopt;
    return s;
  }

  /// On a device without memory, since a plan may be larger than any; what libraries keep of earlier plans is left out.
  std::size_t plan(const LearnerSettings& settings) const {
    trim_memory();
    const std::size_t before = resident_memory();
    DeviceType device({.threads = threads_, .arena_bytes = 0});
    Learner learner(device, samples_, policy_, settings, scale_);
    const std::size_t planned = resident_ + std::max(plan_memory(samples_, learner, work_), before) - before;
    return planned + planned / 32 + (1 << 20);
  }

  /// The options that turn `from` into a plan.
  static std::string options(const MemoryPlan& plan, const LearnerSettings& from) {
    std::string words = text("--batch ", plan.settings.batch);
    if (plan.settings.crop != from.crop) words += text(" --crop ", plan.settings.crop);
    if (plan.settings.hidden != from.hidden) words += text(" --hidden ", plan.settings.hidden);
    if (plan.settings.recompute && !from.recompute) words += " --recompute";
    return words;
  }

  const train::Samples& samples_;
  Policy policy_;
  int threads_;
  Workload work_;
  std::vector<float> scale_;  // of the anomaly: decides no sizes
  std::size_t resident_ = resident_memory();
};

}  // namespace lacuna::fill
