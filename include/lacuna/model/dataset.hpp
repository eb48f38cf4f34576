#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "lacuna/baseline/background.hpp"
#include "lacuna/data/normalisation.hpp"
#include "lacuna/mask/structure.hpp"
#include "lacuna/train/samples.hpp"
#include "lacuna/validation/holdout_split.hpp"
#include "lacuna/validation/validation_data.hpp"

namespace lacuna {

/// @brief Held-out observations of samples, in normalised units, and the windows that they are scored in. A view.
struct HeldOut {
  const train::Samples& samples;
  const std::vector<float>& truth;        ///< (T,H,W,V), read where held out
  const std::vector<std::uint8_t>& mask;  ///< (T,H,W,V), 1 = held out
  const std::vector<validation::ScoredWindow>& windows;
};

/// @brief What a model learns from and is validated on: samples with their background, and the observations held out of them.
class Dataset {
 public:
  /// The background is fitted to what is available. threads: of that.
  explicit Dataset(validation::HoldoutSplit split, baseline::AnyBackground background = {}, int threads = 1)
      : windows_(split.windows),
        share_(split.settings.share),
        normalisation_(std::move(split.normalisation)),
        truth_(std::move(split.truth.values)),
        held_out_(std::move(split.held_out)),
        samples_(std::move(split.available), windows_, std::move(background), std::move(split.live), {}, threads),
        structure_(mask::detect(samples_.masks(), samples_.windows(), samples_.live())),
        scored_(validation::windows_to_score({samples_.fields(), truth_, held_out_, windows_})) {}
  /// Nothing is held out: for models that are trained for a number of steps and judged elsewhere. fields: normalised.
  Dataset(data::Fields fields, const data::WindowSettings& windows, baseline::AnyBackground background = {},
          std::vector<std::uint8_t> live = {}, int threads = 1)
      : windows_(windows), samples_(std::move(fields), windows, std::move(background), std::move(live), {}, threads) {
    normalisation_.mean.assign(samples_.fields().names.size(), 0.0);
    normalisation_.deviation.assign(samples_.fields().names.size(), 1.0);
    structure_ = mask::detect(samples_.masks(), samples_.windows(), samples_.live());
  }
  Dataset(const Dataset&) = delete;
  Dataset& operator=(const Dataset&) = delete;

  const train::Samples& samples() const { return samples_; }
  const data::WindowSettings& windows() const { return windows_; }
  const data::Normalisation& normalisation() const { return normalisation_; }
  const mask::Structure& structure() const { return structure_; }  ///< of the gaps of what is available

  bool validates() const { return !held_out_.empty(); }  ///< whether anything is held out
  /// Refers to this object. Throws: Error if nothing is held out.
  HeldOut held_out() const {
    require(validates(), "Dataset: nothing is held out, so there is nothing to validate on");
    return {samples_, truth_, held_out_, scored_};
  }
  /// For each value (T,H,W,V) whether it is held out; empty if nothing is.
  const std::vector<std::uint8_t>& held_out_mask() const { return held_out_; }
  double held_out_share() const { return share_; }

 private:
  data::WindowSettings windows_;
  double share_ = 0;
  data::Normalisation normalisation_;
  std::vector<float> truth_;
  std::vector<std::uint8_t> held_out_;
  train::Samples samples_;
  mask::Structure structure_;
  std::vector<validation::ScoredWindow> scored_;
};

}  // namespace lacuna
