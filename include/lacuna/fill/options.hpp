#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lacuna/data/windows.hpp"

namespace lacuna::fill {

/// @brief How the contexts of the mean are drawn at the end.
struct SamplingContexts {
  enum class Kind {
    automatic,  ///< the mask itself or the training policy's contexts, by the error on withheld observations
    self,       ///< the mask itself
    policy,     ///< the training policy's contexts (the paper)
    ratio,      ///< pixels kept with a given probability
  };
  Kind kind = Kind::automatic;
  double ratio = 0.7;
};

/// @brief Everything lacuna-fill can be told. Defaults are what wins on real data, not the paper's.
struct Options {
  std::vector<std::string> inputs;     ///< NetCDF files
  std::vector<std::string> variables;  ///< names to fill together
  std::string output;
  data::WindowSettings window;
  std::string background = "auto";  ///< auto, none, climatology, kriging, climatology+kriging
  std::string mask = "auto";        ///< auto, pixels, blocks, empirical
  double ratio = 0;                 ///< pixels: a fixed context ratio as in the paper; 0: random from 0.5 to 1
  SamplingContexts contexts;
  int members = 10;
  std::int64_t steps = 0;  ///< 0: no limit of steps
  double minutes = 0;      ///< 0: no limit of time (with no limit at all: until the withheld error stops falling, at most 10)
  std::uint64_t seed = 1;
  int threads = 0;
  double withhold = 0.1;                  ///< share of the observations kept aside to choose settings and to score
  int hidden = 32, batch = 0, crop = -1;  ///< batch 0 and crop -1: chosen from the grid and the gaps; crop 0: the whole grid
  double learning_rate = 1e-3;
  std::string checkpoint;  ///< folder, or empty
  bool resume = false;
  std::string report, picture;  ///< files, or empty
  bool overwrite = false;
  bool fill_static = false;      ///< also fill cells that are never observed
  bool allow_unexposed = false;  ///< train although the audit refuses the policy
  std::string command;           ///< for the history attribute
};

}  // namespace lacuna::fill
