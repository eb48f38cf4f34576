#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "kernels/assemble.cuh"
#include "lacuna/cuda/graph.hpp"
#include "lacuna/train/input.hpp"

namespace lacuna::cuda {

/// @brief How a batch's samples lie in one block of memory: the host writes such a block, and it is sent as it is. The records in
/// it point to where the arrays will be on the device.
class SampleBlock {
 public:
  /// asks: samples have a query.
  SampleBlock(const train::BatchShape& shape, bool asks) : batch_(static_cast<std::size_t>(shape.batch)) {
    const auto& layout = shape.layout;
    const std::size_t cells = static_cast<std::size_t>(shape.height) * static_cast<std::size_t>(shape.width),
                      size = cells * static_cast<std::size_t>(layout.fields());
    add(records_, 1);
    add(times_, 1);
    add(values_, size);
    add(background_, layout.background ? size : 0);
    add(climate_, layout.climate ? size : 0);
    add(place_, cells * static_cast<std::size_t>(layout.place));
    add(season_, static_cast<std::size_t>(layout.season));
    add(scale_, static_cast<std::size_t>(layout.variables));
    add(context_, size);
    add(query_, asks ? size : 0);
  }

  std::size_t bytes() const { return bytes_; }

  /// Writes sample b to the host's block, for one of the device's memory.
  void write(std::byte* host, std::byte* device, int b, const train::SampleView& sample) const {
    const auto copy = [&](const auto& array, const auto* from) {
      if (from != nullptr) std::copy_n(from, array.size, array.of(host, b));
      return from != nullptr ? array.of(device, b) : nullptr;
    };
    train::SampleView record = sample;
    record.values = copy(values_, sample.values);
    record.context = copy(context_, sample.context);
    record.query = copy(query_, sample.query);
    record.background = copy(background_, sample.background);
    record.climate = copy(climate_, sample.climate);
    record.place = copy(place_, sample.place);
    record.season = copy(season_, sample.season);
    record.scale = copy(scale_, sample.scale);
    *records_.of(host, b) = record;
    *times_.of(host, b) = sample.time;
  }

  const train::SampleView* records(std::byte* block) const { return records_.of(block, 0); }  ///< (B)
  const float* times(std::byte* block) const { return times_.of(block, 0); }                  ///< (B)

 private:
  /// `size` elements a sample, one sample after the other.
  template <class T>
  struct Array {
    std::size_t offset = 0, size = 0;

    T* of(std::byte* block, int b) const { return reinterpret_cast<T*>(block + offset) + static_cast<std::size_t>(b) * size; }
  };

  template <class T>
  void add(Array<T>& array, std::size_t size) {
    constexpr std::size_t alignment = 64;
    array = {bytes_, size};
    bytes_ += (batch_ * size * sizeof(T) + alignment - 1) / alignment * alignment;
  }

  std::size_t batch_, bytes_ = 0;
  Array<train::SampleView> records_;
  Array<float> times_, values_, background_, climate_, place_, season_, scale_;
  Array<std::uint8_t> context_, query_;
};

/// @brief Makes a batch of samples on the device, or in a dry graph finds out whether it can.
template <class Matching = schedule::DataMatching>
void assemble(Graph& graph, const train::SampleView* samples, const kernels::AssembleBatch& batch,
              const Matching& matching = {}) {
  kernels::AssemblePlan::of(batch.shape);
  if (!graph.dry()) kernels::assemble(stream_of(graph), samples, batch, matching);
}

}  // namespace lacuna::cuda
