#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>

#include "lacuna/autograd/graph.hpp"
#include "lacuna/core/error.hpp"

namespace lacuna::sampler {

/// @brief The gradient of a penalty that is written with the tape's ops: what Residual asks for.
///
/// `penalty(graph, x)` computes with ops and returns the value of a loss (ops::masked_loss, say) that has handed its operand its
/// gradient; the tape brings it back to x. x (1, F, H, W, V) is one member of a sampler's state: members are taken one at a time,
/// so each gets the same gradient alone or beside others. Constants of the penalty, such as stencils, are parameters; their
/// gradients accumulate and are not used. NaN: shows. Throws: ShapeError if a state is not of whole members.
template <class Penalty, class T = float>
class TapeGradient {
 public:
  /// The device and the parameters must outlive it; the device runs no other graph meanwhile.
  TapeGradient(cpu::Device& device, Parameters<T>& parameters, const Shape& member, Penalty penalty)
      : device_(device), parameters_(parameters), member_(member), penalty_(std::move(penalty)) {
    require<ShapeError>(member.batch == 1, "TapeGradient: a member of shape ", member, ", expected a batch of 1");
  }

  void operator()(std::span<const T> x, std::span<T> out) {
    const std::size_t size = member_.size();
    require<ShapeError>(x.size() % size == 0 && out.size() == x.size(), "TapeGradient: a state of ", x.size(),
                        " and a gradient of ", out.size(), " elements for members of shape ", member_);
    value_ = 0;
    for (std::size_t at = 0; at < x.size(); at += size) {
      device_.reset();
      Graph<T> graph(device_, parameters_, Mode::train);
      const auto state = graph.make(member_);
      std::copy_n(x.data() + at, size, state.data);
      value_ += penalty_(graph, state);
      graph.backward();
      if (state.node->gradient != nullptr)
        std::copy_n(state.node->gradient, size, out.data() + at);
      else
        std::fill_n(out.data() + at, size, T(0));  // a penalty that does not depend on x
    }
  }

  /// Sum of the penalty over the members of the last call, before the estimate was moved.
  double value() const { return value_; }

 private:
  cpu::Device& device_;
  Parameters<T>& parameters_;
  Shape member_;
  Penalty penalty_;
  double value_ = 0;
};

}  // namespace lacuna::sampler
