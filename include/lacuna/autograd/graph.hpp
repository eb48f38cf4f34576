#pragma once

#include <new>
#include <type_traits>
#include <utility>

#include "lacuna/autograd/parameter.hpp"
#include "lacuna/autograd/profile.hpp"
#include "lacuna/core/device.hpp"
#include "lacuna/core/shape.hpp"
#include "lacuna/core/simd.hpp"

namespace lacuna {

/// @brief Gradient of a variable: null until the first contribution.
template <class T>
struct Node {
  T* gradient = nullptr;
};

/// @brief Handle of a channels-last activation in the arena. Copies refer to the same data.
template <class T>
struct Variable {
  Shape shape;
  T* data = nullptr;
  Node<T>* node = nullptr;  ///< null when nothing is recorded
};

/// @brief sum += gradient: one run of it.
template <class S>
void add_gradient(S* sum, const S* gradient, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) sum[i] += gradient[i];
}
inline void add_gradient(Bfloat16* sum, const Bfloat16* gradient, std::size_t size) {
  const std::size_t whole = size - size % simd::lanes;
  simd::run(
      [sum, gradient](std::size_t end) LACUNA_KERNEL {
        for (std::size_t i = 0; i < end; i += simd::lanes) simd::store(sum + i, simd::load(sum + i) + simd::load(gradient + i));
      },
      whole);
  for (std::size_t i = whole; i < size; ++i) sum[i] = Bfloat16(static_cast<float>(sum[i]) + static_cast<float>(gradient[i]));
}

/// @brief The parameters as the ops of a device's graphs see them.
template <class T, class DeviceType>
struct ParametersOf;
template <class T>
struct ParametersOf<T, cpu::Device> {
  using Type = Parameters<T>;
};

template <class T, class DeviceType = cpu::Device>
class Graph;

/// @brief sum += gradient, on all threads. Each device has its own.
template <class T, class S>
void accumulate(Graph<T>& graph, S* sum, const S* gradient, std::size_t size) {
  if (graph.dry()) return;
  constexpr std::size_t worth_a_thread = std::size_t{1} << 15;
  const int threads = graph.device().threads(), parts = size < worth_a_thread ? 1 : threads;
  parallel_for(threads, parts, [&](int part) {
    const auto [begin, end] = share(size, parts, part);
    add_gradient(sum + begin, gradient + begin, end - begin);
  });
}

/// @brief How a graph runs its ops.
enum class Mode {
  train,  ///< keep activations and record backward closures
  infer,  ///< compute only; activations are freed as the network releases them
};

/// @brief One pass through a network: allocates activations, and as a tape replays the backward closures in reverse order.
///
/// Ops compute their result and record() a closure that turns the result's gradient into those of the operands. Closures live
/// in the device's tape arena and are trivially destructible. A variable adopts its first gradient buffer and adds later ones;
/// parameter gradients accumulate, so shared weights are right. A closure frees its result's data and gradient when it has run.
/// T is the scalar of parameters and their gradients. Variables bring their own, S: activations may be kept in bfloat16.
/// An op checks, takes memory and records. What it computes is a function that each device has for its own graphs; in a dry
/// graph that function takes and gives its workspaces and plans, but computes nothing.
/// A dry graph takes and gives memory exactly as a real one, but computes nothing: it plans the arena.
template <class T, class DeviceType>
class Graph {
 public:
  using Scalar = T;
  using Device = DeviceType;
  using DeviceParameters = typename ParametersOf<T, DeviceType>::Type;

  /// profile: told of every op, unless the pass is dry; null for none.
  Graph(DeviceType& device, DeviceParameters& parameters, Mode mode, bool dry = false, Profile* profile = nullptr)
      : device_(device), parameters_(parameters), mode_(mode), dry_(dry), profile_(dry ? nullptr : profile) {}
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  DeviceType& device() { return device_; }
  Arena& arena() { return device_.arena(); }
  DeviceParameters& parameters() { return parameters_; }
  bool recording() const { return mode_ == Mode::train; }
  bool dry() const { return dry_; }

  /// @brief Names the op that runs while the result lives; each op's first line. moved: in scalars of type S.
  template <class S = T>
  [[nodiscard]] Profile::Scope op(const char* name, const Traffic& moved) {
    if (profile_ == nullptr) return {};
    const bool keeps = recording() && !again_;
    return profile_->op(name, {moved.forward * sizeof(S), moved.backward * sizeof(S)}, keeps ? &arena() : nullptr, again_);
  }

  template <class S = T>
  Variable<S> make(const Shape& shape) {
    return {shape, take<S>(shape.size()), recording() ? make_node<S>() : nullptr};
  }

  template <class S = T>
  S* take(std::size_t count) {
    return arena().template take_array<S>(count);
  }
  template <class S>
  void give(S* buffer, std::size_t count) {
    arena().give_array(buffer, count);
  }

  /// The network needs x no more: frees it at once when nothing is recorded (else its producer's closure does).
  template <class S>
  void release(const Variable<S>& x) {
    if (!recording()) give(x.data, x.shape.size());
  }

  template <class Closure>
  void record(const Closure& closure) {
    static_assert(std::is_trivially_destructible_v<Closure>, "closures live in the arena and are never destroyed");
    if (!recording()) return;
    struct Record : Link {
      Closure closure;
    };
    auto* record = new (device_.tape().take(sizeof(Record))) Record{
        {head_, [](Link* l) { static_cast<Record*>(l)->closure(); }, profile_ != nullptr ? profile_->stamp() : Profile::Stamp{}},
        closure};
    head_ = record;
  }

  /// Replays the closures. The loss has set the gradient of its operand.
  void backward() {
    while (head_ != nullptr) {
      Link* link = head_;
      head_ = link->next;
      if (profile_ == nullptr) {
        link->run(link);
      } else {
        const auto scope = profile_->closure(link->stamp);
        link->run(link);
      }
    }
  }

  /// @brief y = block(), of whose activations y alone is kept: the block runs again on the way back, time in place of memory.
  ///
  /// block: a callable of trivially destructible state that runs ops on this graph, releases nothing it was given and returns a
  /// result of its own. Gradients are those of block() without recompute(), bit for bit: its operands get theirs in the same
  /// order. When nothing is recorded it just runs. May be nested.
  template <class Block>
  auto recompute(const Block& block) -> decltype(block()) {
    if (!recording()) return block();
    const auto scope = op("recompute", {});
    mode_ = Mode::infer;
    auto y = block();
    mode_ = Mode::train;
    y.node = make_node<std::remove_pointer_t<decltype(y.data)>>();
    record([this, y, block] {
      give(y.data, y.shape.size());  // its readers' closures have run
      Link* rest = std::exchange(head_, nullptr);
      const bool before = std::exchange(again_, true);
      const auto same = block();
      again_ = before;
      contribute(same, y.node->gradient);
      backward();
      head_ = rest;
    });
    return y;
  }

  /// Hands a finished gradient buffer (taken from this graph) to x.
  template <class S>
  void contribute(const Variable<S>& x, S* gradient) {
    if (x.node->gradient == nullptr) {
      x.node->gradient = gradient;
      return;
    }
    accumulate(*this, x.node->gradient, gradient, x.shape.size());
    give(gradient, x.shape.size());
  }

  /// Frees a result and its gradient: the last act of a producer's closure.
  template <class S>
  void finish(const Variable<S>& result) {
    if (result.node->gradient != nullptr) give(result.node->gradient, result.shape.size());
    result.node->gradient = nullptr;
    give(result.data, result.shape.size());
  }

 private:
  struct Link {
    Link* next;
    void (*run)(Link*);
    Profile::Stamp stamp;
  };

  template <class S>
  Node<S>* make_node() {
    return new (device_.tape().take(sizeof(Node<S>))) Node<S>{};
  }

  DeviceType& device_;
  DeviceParameters& parameters_;
  Mode mode_;
  bool dry_;
  Profile* profile_;
  bool again_ = false;  // a block is computed again, on the way back
  Link* head_ = nullptr;
};

}  // namespace lacuna
