#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "lacuna/core/error.hpp"
#include "lacuna/data/field.hpp"
#include "lacuna/data/normalisation.hpp"
#include "lacuna/data/windows.hpp"
#include "lacuna/mask/observed.hpp"
#include "lacuna/mask/static_cells.hpp"
#include "lacuna/mask/structure.hpp"
#include "lacuna/mask/withhold.hpp"
#include "lacuna/validation/holdout_settings.hpp"
#include "lacuna/validation/validation_data.hpp"

namespace lacuna::validation {

/// @brief The data of one run in normalised units: all observations, and the view without the held-out ones.
struct HoldoutSplit {
  data::Fields truth;                  ///< every observation; NaN = missing
  data::Fields available;              ///< truth without what is held out: what is learned from
  std::vector<std::uint8_t> held_out;  ///< (T,H,W,V), 1 = held out
  std::vector<std::uint8_t> live;      ///< (H,W,V), 0 = static (land): never observed, and not by chance
  data::Normalisation normalisation;   ///< measured without the held-out values
  mask::Structure structure;           ///< of the gaps
  data::WindowSettings windows;
  HoldoutSettings settings;

  /// The view of it that settings are chosen by. Refers to this object.
  ValidationData data() const { return {available, truth.values, held_out, windows}; }
  std::size_t held_out_count() const {
    return static_cast<std::size_t>(std::count(held_out.begin(), held_out.end(), std::uint8_t{1}));
  }
};

/// @brief Cells (H,W,V) that are filled: 1. Those never observed stay missing (land), unless that was by chance.
inline std::vector<std::uint8_t> live_cells(const data::Fields& fields, const data::WindowSettings& windows) {
  const auto observed = mask::observed_of(fields);
  const auto all = mask::masks_of(fields, observed);
  return mask::live_cells(all, mask::windows_of(all, data::window_starts(fields.frames(), windows), windows.length));
}

/// @brief Holds out a share of the observations with the structure of the gaps, and normalises by the rest.
/// fields: in the variables' own units, NaN = not observed. Deterministic: the seed decides.
/// Throws: OptionError for a share outside (0, 0.5]; DataError if a variable has no observation left.
inline HoldoutSplit hold_out(const data::Fields& fields, const data::WindowSettings& windows = {},
                             const HoldoutSettings& settings = {}) {
  require_share(settings.share);
  data::require_consistent(fields);
  HoldoutSplit split{.truth = fields, .available = fields, .held_out = {}, .live = {}, .normalisation = {}, .structure = {}};
  split.windows = windows;
  split.settings = settings;
  const auto observed = mask::observed_of(fields);
  const auto all = mask::masks_of(fields, observed);
  const auto starts = data::window_starts(fields.frames(), windows);
  split.live = live_cells(fields, windows);
  const auto cut = mask::windows_of(all, starts, windows.length, split.live);
  split.structure = mask::detect(all, cut, split.live);
  split.held_out = mask::withhold(all, cut, starts, settings.share, split.structure, settings.seed);
  require<DataError>(split.held_out_count() > 0, "no observation can be held out at holdout.share = ", settings.share,
                     ": there are too few; choices and scores need some, so use a larger share");
  for (std::size_t i = 0; i < observed.size(); ++i)
    if (split.held_out[i] != 0) split.available.values[i] = data::not_observed;
  split.normalisation = data::measure_normalisation(split.available);
  split.normalisation.apply(split.truth);
  split.normalisation.apply(split.available);
  return split;
}

}  // namespace lacuna::validation
