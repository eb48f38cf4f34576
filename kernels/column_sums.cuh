#pragma once

#include <cstddef>

#include "partial_sums.cuh"
#include "port.cuh"
#include "vector.cuh"

namespace lacuna::kernels {

/// @brief How a block is dealt to rows of C elements: `lanes` threads hold a run of columns, 16 bytes each, `groups` of them a
/// row each. Depends on the data's size alone, so that sums have one order on every GPU.
struct ColumnSumsPlan {
  unsigned lanes, groups, tiles, runs;  ///< tiles of lanes columns cover a row; runs of rows are summed apart
  static constexpr std::size_t rows_per_group = 8, max_runs = 512;

  template <class S>
  static ColumnSumsPlan of(std::size_t rows, int channels) {
    const unsigned chunks = (static_cast<unsigned>(channels) + chunk_of<S> - 1) / chunk_of<S>;
    unsigned lanes = 1;
    while (lanes < 32 && lanes < chunks) lanes *= 2;
    const unsigned groups = block_size / lanes;
    const std::size_t each = groups * rows_per_group, runs = (rows + each - 1) / each;
    return {lanes, groups, (chunks + lanes - 1) / lanes, static_cast<unsigned>(runs < 1 ? 1 : runs < max_runs ? runs : max_runs)};
  }
};

/// @brief The columns that a thread of such a block holds. Grid (runs, tiles, ...).
template <unsigned size>
struct ColumnLane {
  unsigned channels, lanes, group, groups, first, begin, left;

  __device__ __forceinline__ ColumnLane(unsigned channels_, unsigned lanes_)
      : channels(channels_),
        lanes(lanes_),
        group(threadIdx.x / lanes),
        groups(block_size / lanes),
        first(blockIdx.y * lanes * size),
        begin(first + threadIdx.x % lanes * size),
        left(begin < channels ? channels - begin : 0) {}

  /// Calls visit(row, chunk) for the thread's columns of its rows of x (rows, C); whole chunks only if `wide`. Four rows are
  /// written out at a time if `unrolled`: more loads under way, and more registers.
  template <bool unrolled, class Visit>
  __device__ __forceinline__ void for_rows(std::size_t rows, bool wide, const Visit& visit) const {
    const auto walk = [&](auto chunk) {
      const auto take = [&](std::size_t row) {
        chunk.begin = row * channels + begin;
        visit(row, chunk);
      };
      const std::size_t own = static_cast<std::size_t>(blockIdx.x) * groups + group,
                        step = static_cast<std::size_t>(gridDim.x) * groups;
      if constexpr (unrolled) {
        LACUNA_UNROLL_FOUR
        for (std::size_t row = own; row < rows; row += step) take(row);
      } else {
        for (std::size_t row = own; row < rows; row += step) take(row);
      }
    };
    if (wide && left >= size)
      walk(WholeChunkOf<size>{0});
    else
      walk(PartChunkOf<size>{0, static_cast<int>(left < size ? left : size)});
  }

  /// Stores the sums of what the block's threads hold of each column, in the order of its groups. Every thread must call it.
  __device__ __forceinline__ void store_sums(const Values<float, size>& sum, float* sums) const {
    LACUNA_SHARED(float, own, [block_size * size]);
    for (unsigned k = 0; k < size; ++k) own[threadIdx.x * size + k] = sum.v[k];
    __syncthreads();
    const unsigned width = lanes * size;
    for (unsigned column = threadIdx.x; column < width && first + column < channels; column += block_size) {
      float total = 0;
      for (unsigned g = 0; g < groups; ++g) total += own[g * width + column];
      sums[first + column] = total;
    }
  }
};

/// @brief The runs' sums of the columns of x (rows, C): partial (runs, C). Grid (runs, tiles).
///
/// Moves the bytes of x in, and 4 C per run out.
template <int threads, class S>
__global__ void __launch_bounds__(threads) column_sums_kernel(const S* __restrict__ x, std::size_t rows, unsigned channels,
                                                              unsigned lanes, float* __restrict__ partial) {
  constexpr unsigned size = chunk_of<S>;
  const ColumnLane<size> lane(channels, lanes);
  Values<float, size> sum{};
  lane.template for_rows<true>(rows, channels % size == 0 && aligned<size>(x), [&](std::size_t, auto chunk) {
    const auto v = load(x, chunk);
    for (unsigned k = 0; k < size; ++k) sum.v[k] += v.v[k];
  });
  lane.store_sums(sum, partial + static_cast<std::size_t>(blockIdx.x) * channels);
}

/// @brief Floats of workspace that column_sums() needs.
template <class S>
std::size_t column_sums_workspace(std::size_t rows, int channels) {
  return ColumnSumsPlan::of<S>(rows, channels).runs * static_cast<std::size_t>(channels);
}

/// @brief sums (C) += the sum of x (rows, C) over its rows: gradient of a bias. S: float or Bfloat16; sums are float.
///
/// NaN: shows in its column. Determinism: one order of sums for each size, no atomics.
template <class S>
void column_sums(Stream stream, const S* x, std::size_t rows, int channels, float* workspace, float* sums) {
  const auto plan = ColumnSumsPlan::of<S>(rows, channels);
  const auto c = static_cast<unsigned>(channels);
  launch(stream, &column_sums_kernel<block_size, S>, dim3(plan.runs, plan.tiles), block_size, 0, x, rows, c, plan.lanes,
         workspace);
  add_partial_sums(stream, workspace, plan.runs, static_cast<std::size_t>(channels), sums);
}

}  // namespace lacuna::kernels
