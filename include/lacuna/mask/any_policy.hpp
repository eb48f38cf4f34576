#pragma once

#include <utility>
#include <variant>

#include "lacuna/mask/blocks.hpp"
#include "lacuna/mask/empirical.hpp"
#include "lacuna/mask/lost_planes.hpp"
#include "lacuna/mask/objectives.hpp"
#include "lacuna/mask/pixels.hpp"

namespace lacuna::mask {

/// @brief Any of the library's policies, rival objectives among them, for programs that choose one at run time. The variant costs
/// a branch a cell.
class AnyPolicy {
 public:
  using Policies = std::variant<Pixels, Blocks, Empirical, Observed, AmbientDiff<Pixels>, AmbientDiff<Blocks>>;

  AnyPolicy(Policies policy) : policy_(std::move(policy)) {}  // NOLINT(google-explicit-constructor): any policy will do

  struct Draw {
    std::variant<DrawOf<Pixels>, DrawOf<Blocks>, DrawOf<Empirical>, DrawOf<Observed>, DrawOf<AmbientDiff<Pixels>>,
                 DrawOf<AmbientDiff<Blocks>>>
        draw;

    bool same_in_group() const {
      return std::visit([](const auto& d) { return is_same_in_group(d); }, draw);
    }
    bool in_context(Cell c) const {
      return std::visit([c](const auto& d) { return d.in_context(c); }, draw);
    }
    bool in_query(Cell c) const {
      return std::visit([c](const auto& d) { return d.in_query(c); }, draw);
    }
  };

  Draw draw(PhiloxKey key, std::uint64_t sample, const Window& window) const {
    return std::visit([&](const auto& policy) { return Draw{policy.draw(key, sample, window)}; }, policy_);
  }

  const Policies& policies() const { return policy_; }

 private:
  Policies policy_;
};
static_assert(MaskPolicy<AnyPolicy>);

}  // namespace lacuna::mask
