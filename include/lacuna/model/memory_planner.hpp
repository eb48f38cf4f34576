#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "lacuna/data/field.hpp"
#include "lacuna/model/calibration.hpp"
#include "lacuna/model/ensemble.hpp"
#include "lacuna/model/resident_memory.hpp"
#include "lacuna/ops/kernel_cache.hpp"
#include "lacuna/sampler/multi_step.hpp"
#include "lacuna/settings.hpp"
#include "lacuna/train/samples.hpp"

namespace lacuna::model {

/// @brief What imputation will ask of a network, as far as it decides memory.
struct Workload {
  std::vector<std::size_t> batches;  ///< requests at once
  std::size_t members = 0;           ///< of the ensemble
  std::size_t states = 0;            ///< samples of the posterior that are drawn at once
  std::size_t scored = 0;            ///< held-out values that members are kept of
  std::size_t values = 0;            ///< of all fields to fill
};

/// @brief The workload of a run that scores so many windows with so many held-out values, and fills fields of so many values.
/// Where the number of members is yet to be chosen, it is planned for as many as there may be.
inline Workload workload(const EnsembleSettings& s, std::size_t windows, std::size_t scored, std::size_t values) {
  const auto members = static_cast<std::size_t>(s.samples > 0 ? s.samples : s.members == 0 ? MembersNeeded::most : s.members);
  Workload work{.batches = {1, windows, members}, .members = members, .scored = scored, .values = values};
  if (s.samples == 0) return work;
  work.states = std::min(samples_at_once, members);
  work.batches = {1, windows, work.states, members % samples_at_once,
                  static_cast<std::size_t>(sampler::MultiStepSettings{}.contexts)};
  return work;
}

/// @brief Plans training and imputation without computing and returns the peak memory to expect, in bytes.
///
/// What is resident once parameters, buffers and primitives exist, the arena (where it is the host's), and per value of all
/// fields: the samples of all observations (13 bytes), sums over windows (10), results (9) and the file in memory (9); a byte a
/// context and value of a window; 22 bytes a state and value of a window; 8 bytes a member of each held-out value that members
/// are kept of; the held-out values, and a fold of them.
template <class ModelType>
std::size_t plan_memory(ModelType& model, const Workload& work) {
  auto& device = model.device();
  const train::Samples& samples = model.samples();
  device.release();
  trim_memory();
  model.trainer().plan();
  auto sampler = model.sampler();
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
  int batch = 0, crop = 0;
  NetworkSettings network;
  std::size_t bytes = 0;
};

inline std::string megabytes(std::size_t bytes) { return text((bytes + 500000) / 1000000, " MB"); }

/// @brief What fits into a limit: plans of smaller and smaller batches, and of a smaller crop and network, each with activations
/// kept and computed again. The bytes are those of plan_memory() and what that misses of a run, up to a tenth and 4 MB.
class MemoryPlanner {
 public:
  /// plan(plan): bytes that a model of these settings takes; called on plans without bytes. grid: of the data.
  using Measure = std::function<std::size_t(const MemoryPlan&)>;
  MemoryPlanner(const data::Grid& grid, Measure measure) : grid_(grid), measure_(std::move(measure)) {}

  /// @brief Plans every combination: batches from the plan's own down to one, then the least batch with half the crop and with
  /// half the width. batches: only the plan's own where false.
  std::vector<MemoryPlan> operator()(MemoryPlan from, bool batches) const {
    std::vector<MemoryPlan> all;
    for (; from.batch > 1 && batches; from.batch /= 2) all.push_back(from);
    all.push_back(from);
    for (const auto& smaller : {with_half_crop(from), with_half_width(from)})
      if (smaller) all.push_back(*smaller);
    std::vector<MemoryPlan> plans;
    const NoKernelsKept each_its_own;
    for (auto& one : all)
      for (const bool recompute : {false, true}) {
        one.network.recompute = recompute;
        plans.push_back(one);
        plans.back().bytes = measure_(one);
      }
    return plans;
  }

  /// @brief The largest batch that fits with these settings' crop, width and recomputation (plans as from operator()).
  /// Throws: OptionError that tells the least these take and which other plans would fit.
  static MemoryPlan choose(const std::vector<MemoryPlan>& plans, const MemoryPlan& from, std::size_t limit) {
    const MemoryPlan* least = &plans.front();
    std::string others;
    for (const auto& p : plans) {
      const bool same =
          p.crop == from.crop && p.network.hidden == from.network.hidden && p.network.recompute == from.network.recompute;
      if (same && p.bytes <= limit) return p;
      if (same) least = &p;
      if (p.bytes <= limit) others += text(others.empty() ? "" : ", or ", words(p, from), " (", megabytes(p.bytes), ")");
    }
    throw OptionError(text("memory_limit = ", megabytes(limit), ": ", words(*least, from), " would take ",
                           megabytes(least->bytes),
                           others.empty() ? "; nothing that was tried fits" : "; what would fit: ", others));
  }

  /// @brief A table of the plans; * marks those within the limit.
  static std::string table(const std::vector<MemoryPlan>& plans, std::size_t limit) {
    std::string out = text("planned peak memory (* within ", megabytes(limit), ")\n  batch   crop  hidden  recompute");
    for (const auto& p : plans) {
      char line[128];
      std::snprintf(line, sizeof line, "\n  %5d  %5s  %6d  %9s  %12s %s", p.batch, p.crop == 0 ? "whole" : text(p.crop).c_str(),
                    p.network.hidden, p.network.recompute ? "yes" : "no", megabytes(p.bytes).c_str(),
                    p.bytes <= limit ? "*" : "");
      out += line;
    }
    return out;
  }

 private:
  std::optional<MemoryPlan> with_half_crop(MemoryPlan p) const {
    constexpr int smallest = 16;
    const int now = p.crop == 0 ? std::max(grid_.height(), grid_.width()) : p.crop;
    p.crop = now / 8 * 4;  // whole steps of the UNets
    if (p.network.kind == NetworkKind::fno || p.crop < smallest) return std::nullopt;
    return p;
  }
  static std::optional<MemoryPlan> with_half_width(MemoryPlan p) {
    constexpr int smallest = 4;
    p.network.hidden = p.network.hidden / 4 * 2;
    if (p.network.hidden < smallest) return std::nullopt;
    return p;
  }

  /// The settings that turn `from` into a plan.
  static std::string words(const MemoryPlan& plan, const MemoryPlan& from) {
    std::string words = text("training.batch = ", plan.batch);
    if (plan.crop != from.crop) words += text(" training.crop = ", plan.crop);
    if (plan.network.hidden != from.network.hidden) words += text(" network.hidden = ", plan.network.hidden);
    if (plan.network.recompute && !from.network.recompute) words += " network.recompute";
    return words;
  }

  data::Grid grid_;
  Measure measure_;
};

}  // namespace lacuna::model
