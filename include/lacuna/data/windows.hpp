#pragma once

#include <vector>

#include "lacuna/core/error.hpp"

namespace lacuna::data {

/// @brief The frames a network sees at once.
struct WindowSettings {
  int length = 3;  ///< frames
  int stride = 0;  ///< frames from one window's first to the next's; 0: the length
};

/// @brief First frames of the windows that cover `frames` frames; a remainder is covered by a last, overlapping window.
/// Throws: OptionError if there are fewer frames than a window has, or if length or stride is out of range.
inline std::vector<int> window_starts(int frames, const WindowSettings& settings) {
  const int stride = settings.stride == 0 ? settings.length : settings.stride;
  require<OptionError>(settings.length >= 1 && stride >= 1 && stride <= settings.length, "windows: length ", settings.length,
                       " and stride ", stride, ", expected 1 <= stride <= length (a longer stride would leave frames out)");
  require<OptionError>(frames >= settings.length, "windows: the data has ", frames, " frames, fewer than a window of ",
                       settings.length, "; expected window.length up to ", frames);
  std::vector<int> starts;
  for (int t = 0; t + settings.length <= frames; t += stride) starts.push_back(t);
  if (starts.back() + settings.length < frames) starts.push_back(frames - settings.length);
  return starts;
}

}  // namespace lacuna::data
