#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "lacuna/baseline/planes.hpp"
#include "lacuna/data/field.hpp"
#include "lacuna/data/normalisation.hpp"
#include "lacuna/data/windows.hpp"
#include "lacuna/fill/options.hpp"
#include "lacuna/mask/static_cells.hpp"
#include "lacuna/mask/structure.hpp"
#include "lacuna/mask/withhold.hpp"

namespace lacuna::fill {

/// @brief The data of one run in normalised units: all observations, and the view without the withheld ones.
struct Study {
  data::Fields truth;                  ///< every observation; NaN = missing
  data::Fields available;              ///< truth without what is withheld: what is learned from
  std::vector<std::uint8_t> withheld;  ///< (T,H,W,V), 1 = kept aside
  std::vector<std::uint8_t> live;      ///< (H,W,V), 0 = static (land): never observed, and not by chance
  data::Normalisation normalisation;   ///< measured without the withheld values
  mask::Structure structure;           ///< of the gaps
};

/// @brief Cells (H,W,V) that are filled: 1. Those never observed stay missing (land), unless that was by chance.
inline std::vector<std::uint8_t> live_cells(const data::Fields& fields, const data::WindowSettings& windows) {
  const auto observed = baseline::observed_of(fields);
  const auto all = baseline::masks_of(fields, observed);
  return mask::live_cells(all, mask::windows_of(all, data::window_starts(fields.frames(), windows), windows.length));
}

/// @brief Sets aside a share of the observations with the structure of the gaps, and normalises by the rest.
/// Throws: OptionError for a share outside (0, 0.5]; DataError if a variable has no observation left.
inline Study make_study(const data::Fields& fields, const data::WindowSettings& windows, double share, std::uint64_t seed) {
  require_share(share);
  Study study{.truth = fields, .available = fields, .withheld = {}, .live = {}, .normalisation = {}, .structure = {}};
  const auto observed = baseline::observed_of(fields);
  const auto all = baseline::masks_of(fields, observed);
  const auto starts = data::window_starts(fields.frames(), windows);
  study.live = live_cells(fields, windows);
  const auto cut = mask::windows_of(all, starts, windows.length, study.live);
  study.structure = mask::detect(all, cut, study.live);
  study.withheld = mask::withhold(all, cut, starts, share, study.structure, seed);
  require<DataError>(std::find(study.withheld.begin(), study.withheld.end(), std::uint8_t{1}) != study.withheld.end(),
                     "no observation can be kept aside at --withhold ", share,
                     ": there are too few; choices and scores need some, so use a larger share");
  for (std::size_t i = 0; i < observed.size(); ++i)
    if (study.withheld[i] != 0) study.available.values[i] = data::not_observed;
  study.normalisation = data::measure_normalisation(study.available);
  study.normalisation.apply(study.truth);
  study.normalisation.apply(study.available);
  return study;
}

}  // namespace lacuna::fill
