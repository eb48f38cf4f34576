#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fill/methods.hpp"
#include "lacuna/core/parallel.hpp"
#include "lacuna/data/picture.hpp"
#include "lacuna/mask/draw.hpp"
#include "lacuna/model/classical_fill.hpp"
#include "lacuna/validation/holdout_split.hpp"
#include "reproduce/gaps.hpp"
#include "reproduce/job.hpp"
#include "reproduce/results.hpp"
#include "reproduce/sample_set.hpp"
#include "reproduce/settings.hpp"
#include "reproduce/trained.hpp"

namespace lacuna::experiment {

/// @brief Does the jobs of one set and kind of gaps with one seed; what they share is made once.
class Runner {
 public:
  /// folder: for samples and checkpoints. source: of the set's samples; empty: they are made. networks: what does the jobs of
  /// networks; empty: the CPU, as all else.
  Runner(std::string set, const SetSettings& settings, std::filesystem::path folder, std::uint64_t seed, int threads,
         SampleSource source = {}, DoesNetworkJobs networks = {})
      : set_(std::move(set)),
        settings_(settings),
        folder_(std::move(folder)),
        seed_(seed),
        device_(std::make_shared<cpu::Device>(cpu::Device::Settings{.threads = threads})),
        networks_(networks ? std::move(networks) : [this](const NetworkJob& job) { return train_and_fill(device_, job); }),
        source_(source ? std::move(source) : made_samples(set_, settings_, folder_ / "samples", device_->threads())),
        test_(source_(settings_.train, settings_.test)) {}

  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  Outcome operator()(const Job& job) {
    using Clock = std::chrono::steady_clock;
    prepare(job);
    Outcome out;
    std::vector<float> filled;
    if (job.classical()) {
      const auto start = Clock::now();
      filled = fill_each(model::ClassicalFill(fill::find_method(job.method), evidence(), device_->threads()));
      out.seconds = std::chrono::duration<double>(Clock::now() - start).count();
      out.origin.device = device_->name();
    } else {
      const auto learned =
          std::make_shared<const Dataset>(learned_, windows(), background(job), everywhere(), device_->threads());
      const train::Samples found(normalised_test_, windows(), background(job), everywhere(), {}, device_->threads());
      NetworkFill done = networks_({learned, found, job, settings_, seed_, network_folder(job)});
      filled = std::move(done.values);
      out.training = done.training;
      out.seconds = done.seconds;
      out.origin.device = done.device;
    }
    restore(filled);
    out.errors = errors_of(set_, test_, observed_, filled);
    out.shown = plane(filled);
    return out;
  }

  /// The plane that outcomes of a job's gaps show, complete and as it was observed: the first variable of the middle frame of
  /// the first test sample, of blocks of the first whose middle is missing (the paper's figure 10).
  std::vector<float> truth_shown(const Job& job) {
    prepare(job);
    return plane(test_.truth.values);
  }
  std::vector<float> observed_shown(const Job& job) {
    prepare(job);
    std::vector<float> gappy = test_.truth.values;
    for (std::size_t i = 0; i < gappy.size(); ++i)
      if (observed_[i] == 0) gappy[i] = data::not_observed;
    return plane(gappy);
  }
  const data::Grid& grid() const { return test_.truth.grid; }
  /// Where a job's network is kept: one folder for each seed and all settings.
  std::filesystem::path network_folder(const Job& job) const {
    return folder_ / "networks" / text(job.training(), "_", seed_, "_", digest(settings_));
  }

 private:
  /// Draws the masks of a job's gaps, and normalises by what is observed of the samples that are learned from.
  void prepare(const Job& job) {
    if (job.gaps == gaps_ && job.filled_gaps() == test_gaps_) return;
    if (job.gaps != gaps_) {
      const SampleSet set = source_(0, settings_.train);
      learned_ = mask::with_gaps(set.truth, share_masks(set, Gaps(job.gaps).draw(set.truth.grid, set.samples(), seed_)));
      normalisation_ = data::measure_normalisation(learned_);
      normalisation_.apply(learned_);
      split_.reset();
      correlations_.clear();
    }
    // Another seed than the training masks': seeds of tables are small numbers.
    constexpr std::uint64_t test_seed = 1000003;
    observed_ = share_masks(test_, Gaps(job.filled_gaps()).draw(test_.truth.grid, test_.samples(), test_seed + seed_));
    normalised_test_ = mask::with_gaps(test_.truth, observed_);
    normalisation_.apply(normalised_test_);
    gaps_ = job.gaps;
    test_gaps_ = job.filled_gaps();
  }

  /// Fills each test sample by itself: the frames before and after it in the record are another one's.
  std::vector<float> fill_each(const model::ClassicalFill& classical) const {
    const std::size_t size = normalised_test_.frame_size() * static_cast<std::size_t>(settings_.frames);
    std::vector<float> filled(normalised_test_.values.size());
    parallel_for(device_->threads(), test_.samples(), [&](int i) {
      const data::FrameRange own{i * settings_.frames, (i + 1) * settings_.frames};
      const auto one = classical(data::frames_of(normalised_test_, own), {0, settings_.frames}).values;
      std::copy(one.begin(), one.end(), filled.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(i) * size));
    });
    return filled;
  }

  /// Held-out observations of some samples, for what is fitted. Of 8 with blocks missing a fit is luck: on shallow water
  /// kriging's squared error was 16 to 73 % more than with a fit to 64 (three seeds); 128 change little.
  validation::ValidationData evidence() {
    if (!split_) {
      constexpr int most_samples = 64;
      const int few = std::min(most_samples, settings_.train);
      split_ =
          validation::hold_out(data::frames_of(learned_, {0, few * settings_.frames}), windows(), {.share = 0.1, .seed = seed_});
    }
    return split_->data();
  }

  data::WindowSettings windows() const { return {.length = settings_.window}; }

  /// Cells that can be observed: all.
  std::vector<std::uint8_t> everywhere() const { return std::vector<std::uint8_t>(learned_.frame_size(), 1); }
  baseline::AnyBackground background(const Job& job) {
    if (job.background == "none") return {};
    require<OptionError>(job.background == "kriging", "background ", job.background, ": expected none or kriging");
    if (correlations_.empty()) correlations_ = baseline::CorrelationFit(evidence(), nullptr, {.threads = device_->threads()})();
    baseline::BackgroundSettings s;
    s.values = correlations_;
    return baseline::ClassicalBackground(baseline::BackgroundKind::kriging, s);
  }

  /// Data's units; observed values exact.
  void restore(std::vector<float>& filled) const {
    const std::size_t variables = test_.truth.names.size();
    for (std::size_t i = 0; i < filled.size(); ++i)
      filled[i] = observed_[i] != 0
                      ? test_.truth.values[i]
                      : static_cast<float>(static_cast<double>(filled[i]) * normalisation_.deviation[i % variables] +
                                           normalisation_.mean[i % variables]);
  }

  std::vector<float> plane(const std::vector<float>& values) const {
    const auto& truth = test_.truth;
    const auto middle = [&](int sample) { return sample * settings_.frames + settings_.frames / 2; };
    int shown = 0;
    if (Gaps(test_gaps_).blocks)
      while (shown < test_.samples() &&
             observed_[truth.index(middle(shown), truth.grid.height() / 2, truth.grid.width() / 2, 0)] != 0)
        ++shown;
    return data::plane_of(values, truth.grid.cells(), truth.variables(), middle(shown % test_.samples()), 0);
  }

  std::string set_;
  SetSettings settings_;
  std::filesystem::path folder_;
  std::uint64_t seed_;
  std::shared_ptr<cpu::Device> device_;
  DoesNetworkJobs networks_;
  SampleSource source_;
  SampleSet test_;
  std::string gaps_, test_gaps_;
  data::Fields learned_, normalised_test_;  ///< normalised, gappy
  data::Normalisation normalisation_;
  std::vector<std::uint8_t> observed_;  ///< of the test samples
  std::optional<validation::HoldoutSplit> split_;
  std::vector<baseline::Correlation> correlations_;
};

}  // namespace lacuna::experiment
