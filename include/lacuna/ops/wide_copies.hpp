#pragma once

#include <cstddef>
#include <type_traits>

#include "lacuna/ops/cast.hpp"

namespace lacuna::ops {

/// @brief Values in the scalar that kernels compute in: in place, or for bfloat16 in copies that follow each other in `room`.
template <class T, class S>
class WideCopies {
 public:
  static constexpr bool needed = !std::is_same_v<S, T>;
  /// Room for copies of so many values.
  static std::size_t size(std::size_t values) { return needed ? values : 0; }

  explicit WideCopies(T* room) : room_(room) {}

  /// `rows` runs of `count` values, `step` apart in the tensor and close together in the copy.
  T* read(const S* values, std::size_t count, std::size_t rows = 1, std::size_t step = 0) {
    if constexpr (needed) {
      for (std::size_t i = 0; i < rows; ++i) convert(values + i * step, room_ + i * count, count);
      return taken(rows * count);
    } else {
      return const_cast<T*>(values);
    }
  }
  /// Where to write what write() then takes to its place.
  T* place(S* values, std::size_t size) {
    if constexpr (needed)
      return taken(size);
    else
      return values;
  }
  static void write(const T* copy, S* values, std::size_t count, std::size_t rows = 1, std::size_t step = 0) {
    if constexpr (needed)
      for (std::size_t i = 0; i < rows; ++i) convert(copy + i * count, values + i * step, count);
  }

 private:
  T* taken(std::size_t size) {
    T* at = room_;
    room_ += size;
    return at;
  }

  T* room_;
};

/// @brief A whole image in the scalar that is computed in: in place, or for bfloat16 a copy while the object lives.
template <class T, class S, class D = cpu::Device>
class WideImage {
 public:
  static constexpr bool copied = !std::is_same_v<S, T>;

  /// For writing to; write() takes it to its place.
  WideImage(Graph<T, D>& graph, S* values, std::size_t size) : graph_(graph), values_(values), size_(size) {
    if constexpr (copied)
      wide_ = graph.take(size);
    else
      wide_ = values;
  }
  /// For reading.
  WideImage(Graph<T, D>& graph, const S* values, std::size_t size) : WideImage(graph, const_cast<S*>(values), size) {
    if constexpr (copied) convert_all(graph, values, wide_, size);
  }
  WideImage(const WideImage&) = delete;
  WideImage& operator=(const WideImage&) = delete;
  ~WideImage() {
    if constexpr (copied) graph_.give(wide_, size_);
  }

  T* data() const { return wide_; }
  void write() const {
    if constexpr (copied) convert_all(graph_, wide_, values_, size_);
  }

 private:
  Graph<T, D>& graph_;
  S* values_;
  std::size_t size_;
  T* wide_;
};

}  // namespace lacuna::ops
