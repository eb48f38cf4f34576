#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "lacuna/core/error.hpp"

namespace lacuna::mask {

/// @brief What the audit makes of P(query_i = 1 | context).
enum class Verdict {
  uniform,  ///< every position to be filled is queried, the most and the least within a factor of 10
  uneven,   ///< every position to be filled is queried, but some rarely
  refused,  ///< some positions to be filled are never queried: the output there would be arbitrary (Theorem 1)
};

/// @brief Positions that a learner can tell apart by the context alone, and how often they are queried.
struct ExposureBin {
  std::string where;
  double to_fill = 0;   ///< share of the missing positions that lie here, in contexts drawn from M
  double exposure = 0;  ///< P(query_i = 1 | i outside the context, i here)
};

/// @brief The exposure audit's result (eq. 8). Probabilities are over positions outside the context that are not static.
struct Exposure {
  double minimum = 1, mean = 1;  ///< over bins where there is something to fill; over all positions
  double spread = 1;             ///< largest over smallest exposure of the bins with something to fill
  double lost_planes = 1;        ///< P(a plane is queried | it is absent from the context); 1 if none is ever lost
  std::vector<ExposureBin> bins{};
  int height = 0, width = 0;
  std::vector<float> map{};  ///< (H, W); NaN where static or never outside a context
  Verdict verdict = Verdict::uniform;
  std::string reason{};  ///< one line
};

/// @brief Bins with less than this share of the missing positions decide nothing.
inline constexpr double least_share_to_fill = 0.005;
/// @brief An exposure below this fraction of the largest counts as none: it would take a thousand times the training.
inline constexpr double negligible_exposure = 1e-3;

/// @brief Derives minimum, spread and verdict from the bins. `advice` tells what to use if positions are never queried.
inline void judge(Exposure& e, const std::string& policy, const std::string& advice) {
  double largest = 0, smallest = std::numeric_limits<double>::infinity();
  const ExposureBin* worst = nullptr;
  for (const ExposureBin& bin : e.bins) {
    largest = std::max(largest, bin.exposure);
    if (bin.to_fill < least_share_to_fill || bin.exposure >= smallest) continue;
    smallest = bin.exposure;
    worst = &bin;
  }
  if (!worst) {
    e.reason = text(policy, ": nothing to fill within planes");
    return;
  }
  e.minimum = smallest;
  e.spread = 1;
  for (const ExposureBin& bin : e.bins)
    if (bin.to_fill >= least_share_to_fill && bin.exposure > smallest)
      e.spread = std::max(e.spread, smallest > 0 ? bin.exposure / smallest : std::numeric_limits<double>::infinity());
  if (smallest <= negligible_exposure * largest) {
    e.verdict = Verdict::refused;
    e.reason = text(policy, " leaves positions to be filled (", worst->where,
                    ") without exposure, the output there would be arbitrary; ", advice);
    return;
  }
  e.verdict = e.spread <= 10 ? Verdict::uniform : Verdict::uneven;
  e.reason = text(policy, e.verdict == Verdict::uniform ? " exposes all positions to be filled about evenly"
                                                        : " exposes all positions to be filled, least: " + worst->where);
}

/// @brief Throws OptionError with the audit's reason if it refused the policy, unless overridden.
inline void require_exposure(const Exposure& exposure, bool override_refusal = false) {
  require<OptionError>(override_refusal || exposure.verdict != Verdict::refused, "exposure audit: ", exposure.reason);
}

inline const char* name(Verdict verdict) {
  return verdict == Verdict::uniform ? "uniform" : verdict == Verdict::uneven ? "uneven" : "refused";
}

/// @brief The result in one paragraph; with `rows` > 0 also the map in characters, digits being tenths of its largest value.
inline std::string summary(const Exposure& e, int rows = 0) {
  const auto percent = [](double p) { return text(std::round(p * 1e4) / 100, " %"); };
  std::string out = text("Exposure audit: ", name(e.verdict), ". ", e.reason, ". P(query | outside the context): minimum ",
                         percent(e.minimum), ", mean ", percent(e.mean), ", largest/smallest ", std::round(e.spread * 10) / 10);
  if (e.lost_planes < 1) out += text(", lost planes ", percent(e.lost_planes));
  out += ".\n";
  if (rows <= 0 || e.map.empty()) return out;
  float largest = 0;
  for (const float p : e.map)
    if (p > largest) largest = p;
  rows = std::min(rows, e.height);
  const int cols = std::min(2 * rows * e.width / e.height, e.width);
  for (int r = 0; r < rows; ++r) {
    for (int c = 0; c < cols; ++c) {
      const float p = e.map[static_cast<std::size_t>(r * e.height / rows * e.width + c * e.width / cols)];
      out += std::isnan(p) ? ' ' : static_cast<char>('0' + (largest > 0 ? static_cast<int>(9 * p / largest) : 0));
    }
    out += '\n';
  }
  return out;
}

}  // namespace lacuna::mask
