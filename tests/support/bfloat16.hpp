#pragma once

#include <vector>

#include "lacuna/ops/cast.hpp"
#include "support/probe.hpp"

namespace lacuna::test {

/// Normal variates that bfloat16 holds exactly.
inline Operand<float> narrow_operand(const Shape& shape, std::uint64_t stream) {
  auto x = random_operand<float>(shape, stream);
  for (float& value : x.values) value = static_cast<float>(Bfloat16(value));
  return x;
}

/// Whether what lies behind an op's result is looked at: only where the arena is poisoned, as in train_pass().
enum class Margins { watched, ignored };

/// An op on bfloat16 copies of its operands. Where margins are watched, training passes throw if the op writes past its end.
template <class Build>
auto in_bfloat16(const Build& build, Margins margins = Margins::watched) {
  return [&build, margins](Graph<float>& graph, const std::vector<Variable<float>>& x) {
    std::vector<Variable<Bfloat16>> narrow;
    for (const auto& operand : x) narrow.push_back(ops::cast<Bfloat16>(graph, operand));
    const auto y = build(graph, narrow);
    if (margins == Margins::watched && graph.recording())
      require(margin_intact(y.data, y.shape.size()), "an op wrote past its result's end");
    for (const auto& operand : narrow) graph.release(operand);
    const auto wide = ops::cast<float>(graph, y);
    graph.release(y);
    return wide;
  };
}

}  // namespace lacuna::test
