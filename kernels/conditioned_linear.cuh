#pragma once

#include <cstddef>
#include <type_traits>

#include "column_sums.cuh"
#include "lacuna/ops/grid_coordinates.hpp"
#include "partial_sums.cuh"
#include "port.cuh"
#include "vector.cuh"

namespace lacuna::kernels {

/// @brief What a linear layer adds for a sample's features and the place of a cell: samples of `grid` cells, C contiguous
/// channels. Coordinates act by columns of the layer's weight: that of axis a for channel o lies at slopes[o * row + a].
struct Conditioning {
  ops::GridExtents grid;
  int batch, channels, axes;
  std::size_t row;

  std::size_t cells() const { return grid.cells(); }
  std::size_t parts() const { return static_cast<std::size_t>(axes) + 1; }

  /// How blocks are dealt to a sample's cells: fewer runs where there are many samples.
  template <class S>
  ColumnSumsPlan plan() const {
    auto plan = ColumnSumsPlan::of<S>(cells(), channels);
    const unsigned each = static_cast<unsigned>(max_blocks) / static_cast<unsigned>(batch), most = each < 1 ? 1 : each;
    if (plan.runs > most) plan.runs = most;
    return plan;
  }
  /// Floats that conditioning_sums() needs for its runs' sums, and leaves in `sums`.
  template <class S>
  std::size_t workspace() const {
    return plan<S>().runs * sums();
  }
  std::size_t sums() const { return static_cast<std::size_t>(batch) * parts() * static_cast<std::size_t>(channels); }
};

/// @brief y += bias + features + sum over axes of coordinate slope: y (B, cells, C), bias (C), features (B, C) or null.
/// Grid (runs, tiles, B).
///
/// Moves the bytes of y in and out; each of a block's `groups` rows of threads reads 4 (2 + axes) bytes a column once (without
/// features 4 (1 + axes)).
template <int threads, class S, int axes>
__global__ void __launch_bounds__(threads)
    conditioning_kernel(const float* __restrict__ bias, const float* __restrict__ features, const float* __restrict__ slopes,
                        std::size_t row, unsigned channels, unsigned lanes, ops::GridExtents grid, S* y) {
  constexpr unsigned size = chunk_of<S>;
  const ColumnLane<size> lane(channels, lanes);
  Values<float, size> offset{}, slope[axes]{};
  for (unsigned k = 0; k < size; ++k) {
    if (k >= lane.left) break;
    const std::size_t o = lane.begin + k;
    offset.v[k] = bias[o] + (features != nullptr ? features[static_cast<std::size_t>(blockIdx.z) * channels + o] : 0.0f);
    for (int a = 0; a < axes; ++a)  // of a cell's number, not its coordinate: no division in the loop
      slope[a].v[k] = slopes[o * row + static_cast<std::size_t>(a)] / static_cast<float>(grid.along(a, axes));
  }
  const std::size_t cells = grid.cells();
  S* const sample = y + static_cast<std::size_t>(blockIdx.z) * cells * channels;
  lane.template for_rows<false>(cells, channels % size == 0 && aligned<size>(y), [&](std::size_t cell, auto chunk) {
    const auto place = ops::grid_place(grid, static_cast<unsigned>(cell), axes);
    auto v = load(sample, chunk);
    for (unsigned k = 0; k < size; ++k) {
      float sum = offset.v[k];
      for (int a = 0; a < axes; ++a) sum += static_cast<float>(place.along[a]) * slope[a].v[k];
      v.v[k] += sum;
    }
    store(sample, chunk, v);
  });
}

/// @brief The runs' sums of grad_y (B, cells, C), and of grad_y times each coordinate: partial (B, runs, 1 + axes, C).
/// Grid (runs, tiles, B).
///
/// Moves the bytes of grad_y in, and 4 (1 + axes) C per sample and run out.
template <int threads, class S, int axes>
__global__ void __launch_bounds__(threads)
    conditioning_sums_kernel(const S* __restrict__ grad_y, unsigned channels, unsigned lanes, ops::GridExtents grid,
                             float* __restrict__ partial) {
  constexpr unsigned size = chunk_of<S>;
  const ColumnLane<size> lane(channels, lanes);
  Values<float, size> sums[1 + axes]{};
  const std::size_t cells = grid.cells();
  const S* const sample = grad_y + static_cast<std::size_t>(blockIdx.z) * cells * channels;
  lane.template for_rows<false>(cells, channels % size == 0 && aligned<size>(grad_y), [&](std::size_t cell, auto chunk) {
    const auto place = ops::grid_place(grid, static_cast<unsigned>(cell), axes);
    const auto g = load(sample, chunk);
    for (unsigned k = 0; k < size; ++k) {
      sums[0].v[k] += g.v[k];
      for (int a = 0; a < axes; ++a) sums[1 + a].v[k] += static_cast<float>(place.along[a]) * g.v[k];
    }
  });
  float* const own = partial + (static_cast<std::size_t>(blockIdx.z) * gridDim.x + blockIdx.x) * (1 + axes) * channels;
  for (int a = 0; a < axes; ++a)
    for (unsigned k = 0; k < size; ++k) sums[1 + a].v[k] /= static_cast<float>(grid.along(a, axes));
  for (int j = 0; j <= axes; ++j) {
    lane.store_sums(sums[j], own + static_cast<std::size_t>(j) * channels);
    __syncthreads();  // the next sums take the same shared memory
  }
}

/// @brief grad_bias and grad_slopes += the samples' sums (B, 1 + axes, C). A thread takes a channel of a part.
///
/// Moves 4 (B + 1) (1 + axes) C bytes in and 4 (1 + axes) C out.
template <int threads>
__global__ void __launch_bounds__(threads)
    conditioning_parameters_kernel(const float* __restrict__ sums, unsigned batch, unsigned parts, unsigned channels,
                                   std::size_t row, float* grad_bias, float* grad_slopes) {
  const unsigned i = blockIdx.x * threads + threadIdx.x;
  if (i >= parts * channels) return;
  float sum = 0;
  for (unsigned b = 0; b < batch; ++b) sum += sums[static_cast<std::size_t>(b) * parts * channels + i];
  const unsigned part = i / channels, o = i % channels;
  float* const gradient = part == 0 ? grad_bias + o : grad_slopes + o * row + part - 1;
  *gradient += sum;
}

/// @brief Calls visit(axes as a constant).
template <class Visit>
void with_axes(int axes, const Visit& visit) {
  require<ShapeError>(axes == 2 || axes == 3, "conditioned_linear: coordinates along ", axes, " axes; expected 2 or 3");
  if (axes == 2)
    visit(std::integral_constant<int, 2>{});
  else
    visit(std::integral_constant<int, 3>{});
}

/// @brief Adds bias, features (null for none) and coordinates to y. S: float or Bfloat16. NaN: within its channel, that of
/// features in its sample.
template <class S>
void condition(Stream stream, const Conditioning& c, const float* bias, const float* features, const float* slopes, S* y) {
  const auto plan = c.plan<S>();
  with_axes(c.axes, [&](auto axes) {
    launch(stream, &conditioning_kernel<block_size, S, decltype(axes)::value>,
           dim3(plan.runs, plan.tiles, static_cast<unsigned>(c.batch)), block_size, 0, bias, features, slopes, c.row, c.channels,
           plan.lanes, c.grid, y);
  });
}

/// @brief sums (B, 1 + axes, C) of grad_y and of grad_y times the coordinates, and their sums over the samples added to grad_bias
/// and grad_slopes. NaN: within its channel. Determinism: one order of sums for each size, no atomics.
template <class S>
void condition_backward(Stream stream, const Conditioning& c, const S* grad_y, float* workspace, float* sums, float* grad_bias,
                        float* grad_slopes) {
  const auto plan = c.plan<S>();
  const auto batch = static_cast<unsigned>(c.batch);
  const std::size_t columns = c.parts() * static_cast<std::size_t>(c.channels);
  with_axes(c.axes, [&](auto axes) {
    launch(stream, &conditioning_sums_kernel<block_size, S, decltype(axes)::value>, dim3(plan.runs, plan.tiles, batch),
           block_size, 0, grad_y, c.channels, plan.lanes, c.grid, workspace);
  });
  set_partial_sums(stream, workspace, batch, plan.runs, columns, sums);
  launch(stream, &conditioning_parameters_kernel<block_size>, static_cast<unsigned>((columns + block_size - 1) / block_size),
         block_size, 0, sums, batch, static_cast<unsigned>(c.parts()), c.channels, c.row, grad_bias, grad_slopes);
}

}  // namespace lacuna::kernels
