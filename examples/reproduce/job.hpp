#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "lacuna/core/error.hpp"
#include "lacuna/mask/any_policy.hpp"
#include "reproduce/gaps.hpp"

namespace lacuna::experiment {

/// @brief One number of a table: a method on the gaps of a set.
struct Job {
  std::string set;   ///< kolmogorov, shallow-water, advection, era5
  std::string gaps;  ///< of the samples that are learned from: p80, b8
  /// A classical method's name, or an objective: ours (fixed contexts), ours:0.5:0.9 (share of the pixels in context and query),
  /// random (a random ratio of pixels, the rest is the query), random:1 (the query is that share of all observed pixels),
  /// pixel-contexts (wrong on blocks), missdiff, ambientdiff.
  std::string method;
  std::string network = "unet";     ///< unet or fno
  std::string background = "none";  ///< or kriging
  /// How an objective's network fills: contexts (their mean), mask (M itself), one (a single context), adapted (of ours alone:
  /// contexts that show as much as in training), or N steps of multi-step sampling,
  /// steps:N[:weight[:solver[:spacing[:closing]]]]: weight none, linear or quadratic; solver first-order, second-order or
  /// published (its update alone); even steps of time or of log-snr; closing: the number of random contexts whose mean is the
  /// end, as published (0).
  std::string use = "contexts";
  std::string test_gaps{};  ///< of the samples that are filled, if others

  bool classical() const { return use.empty(); }
  const std::string& filled_gaps() const { return test_gaps.empty() ? gaps : test_gaps; }
  /// What is trained: jobs that share it share the network.
  std::string training() const { return safe(set + " " + gaps + " " + method + " " + network + " " + background); }
  /// A name for files.
  std::string key() const {
    const std::string on = test_gaps.empty() ? "" : " on " + test_gaps;
    return classical() ? safe(set + " " + gaps + " " + method + on) : training() + "_" + safe(use + on);
  }

 private:
  static std::string safe(std::string words) {
    std::replace_if(
        words.begin(), words.end(), [](char c) { return c == ' ' || c == ':' || c == '+'; }, '_');
    return words;
  }
};

/// @brief The parts of "a:b:c".
inline std::vector<std::string> split(const std::string& words) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  while (true) {
    const std::size_t end = words.find(':', begin);
    parts.push_back(words.substr(begin, end == std::string::npos ? end : end - begin));
    if (end == std::string::npos) return parts;
    begin = end + 1;
  }
}

/// @brief The share of the pixels in context and query as published.
inline constexpr float published_share = 0.7f;

/// @brief How an objective draws contexts and queries in training. Throws: OptionError for an unknown one.
inline mask::AnyPolicy policy_of(const Job& job) {
  const auto parts = split(job.method);
  require<OptionError>(
      parts.size() == 1 || (parts[0] == "ours" && parts.size() == 3) || (parts[0] == "random" && parts.size() == 2), "objective ",
      job.method, ": expected one word, ours:CONTEXT:QUERY or random:QUERY");
  const mask::Pixels fixed{.ratio = published_share, .query = published_share};
  const bool blocks = Gaps(job.gaps).blocks;
  if (parts[0] == "missdiff") return mask::AnyPolicy{mask::MissDiff{}};
  if (parts[0] == "ours" && parts.size() == 3)
    return mask::AnyPolicy{mask::Pixels{.ratio = std::stof(parts[1]), .query = std::stof(parts[2])}};
  if (parts[0] == "random" && parts.size() == 2)
    return mask::AnyPolicy{mask::Pixels{.query = std::stof(parts[1]), .random = true, .rest = false}};
  if (parts[0] == "random") return mask::AnyPolicy{mask::Pixels::random_ratio()};
  if (parts[0] == "pixel-contexts") return mask::AnyPolicy{fixed};
  if (parts[0] == "ours") return blocks ? mask::AnyPolicy{mask::Blocks{}} : mask::AnyPolicy{fixed};
  require<OptionError>(parts[0] == "ambientdiff", "objective ", job.method,
                       ": expected ours, random, pixel-contexts, missdiff or ambientdiff");
  return blocks ? mask::AnyPolicy{mask::AmbientDiff<mask::Blocks>{mask::Blocks{}}}
                : mask::AnyPolicy{mask::AmbientDiff<mask::Pixels>{fixed}};
}

}  // namespace lacuna::experiment
