#pragma once

#include <cstddef>

#include "lacuna/core/error.hpp"
#include "lacuna/core/philox.hpp"
#include "lacuna/ops/position_bias.hpp"
#include "port.cuh"
#include "reduce.cuh"
#include "shared_tile.cuh"
#include "vector.cuh"

namespace lacuna::kernels {

/// @brief Cosines, then sines (2, frames, pairs) of frame * frequency.
///
/// Whole turns are taken off first, with 2 pi in two parts, so that the noise's sine and cosine do; CUDA's own are for any angle,
/// at the price of a stack frame. Moves 4 bytes in, from cache, and 8 out for each angle.
template <int threads>
__global__ void __launch_bounds__(threads)
    rotary_tables_kernel(const float* __restrict__ frequencies, unsigned frames, unsigned pairs, float* __restrict__ tables) {
  constexpr float inverse_turn = 0.15915494309189534f;
  const unsigned count = frames * pairs;
  for (unsigned i = blockIdx.x * threads + threadIdx.x; i < count; i += gridDim.x * threads) {
    const float angle = static_cast<float>(i / pairs) * frequencies[i % pairs], turns = floorf(angle * inverse_turn);
    const float rest = fmaf(-turns, 1.9353071795864769e-3f, fmaf(-turns, 6.28125f, angle));
    const auto [sine, cosine] = sin_cos_turn(rest * inverse_turn);
    tables[i] = cosine;
    tables[count + i] = sine;
  }
}

/// @brief The meaning of ops::rotary_tables, on frequencies (pairs) in the device's memory.
inline void rotary_tables(Stream stream, const float* frequencies, int frames, int pairs, float* tables) {
  const auto f = static_cast<unsigned>(frames), p = static_cast<unsigned>(pairs);
  launch(stream, &rotary_tables_kernel<block_size>, blocks_for<1>(static_cast<std::size_t>(f) * p), block_size, 0, frequencies, f,
         p, tables);
}

/// @brief Operands of attention over the frames of each pixel; W = heads features, q, k, v side by side, each head by head. S:
/// float or Bfloat16, whatever lies in the images; angles, biases and what is computed are float.
template <class S>
struct TemporalAttention {
  const S* qkv;         ///< (B, T, pixels, 3 W)
  const float* cosine;  ///< (T, features / 2), as sine: from ops::rotary_tables()
  const float* sine;
  const float* bias;  ///< (32, heads), by ops::position_bucket(query - key)
  const S* grad_o;    ///< backward: (B, T, pixels, W); forward: null
  S* result;          ///< forward: o (B, T, pixels, W); backward: gradient of qkv
  float* sums;        ///< backward: (blocks, heads, 2 T - 1), sums of the bias' gradient by distance; forward: null
  std::size_t pixels;
  int batch, frames, heads, features;
};

/// @brief How a launch is cut up, by the problem alone: a unit is a head of a pixel, `units` of them lie in a block's shared
/// memory at a time.
struct TemporalPlan {
  static constexpr std::size_t most_blocks = 512;
  std::size_t all;  ///< units, heads fastest
  int units;
  unsigned blocks;
  std::size_t shared;  ///< bytes

  /// Throws: ShapeError if features are odd, or if the frames of one unit do not fit.
  template <class S>
  static TemporalPlan of(const TemporalAttention<S>& t, bool backward) {
    constexpr std::size_t most = 48 * 1024 / sizeof(float), usual = 32 * 1024 / sizeof(float);
    require<ShapeError>(t.features > 0 && t.features % 2 == 0, "temporal_attention: ", t.features,
                        " features a head, expected an even number");
    const auto frames = static_cast<std::size_t>(t.frames), stride = static_cast<std::size_t>(tile_stride(t.features)),
               tables = static_cast<std::size_t>(t.heads * (2 * t.frames - 1));
    const std::size_t kept = frames * static_cast<std::size_t>(t.features) + (backward ? 2 : 1) * tables;
    const std::size_t each = (backward ? 4 : 3) * frames * stride + (backward ? 2 : 1) * frames * (frames | 1u);
    require<ShapeError>(kept + each <= most, "temporal_attention: ", t.frames, " frames of ", t.heads, " heads with ", t.features,
                        " features take ", (kept + each) * sizeof(float), " bytes of shared memory, expected at most ",
                        most * sizeof(float));
    const std::size_t all = static_cast<std::size_t>(t.batch) * t.pixels * static_cast<std::size_t>(t.heads);
    const std::size_t fit = kept + each <= usual ? (usual - kept) / each : 1, units = fit < 32 ? fit : 32;
    const std::size_t tiles = (all + units - 1) / units;
    return {all, static_cast<int>(units), static_cast<unsigned>(tiles < most_blocks ? tiles : most_blocks),
            (kept + units * each) * sizeof(float)};
  }
};

/// @brief A block's shared memory: tiles (units, T, features) of q, k, v and the gradient of o, scores (units, T, T), tables.
struct TemporalTiles {
  float *q, *k, *v, *grad_o, *p, *grad_p, *cosine, *sine, *bias, *bias_sums;
  int frames, stride, score_stride, distances;

  template <class S>
  __device__ __forceinline__ TemporalTiles(const TemporalAttention<S>& t, float* space, int units, bool backward)
      : frames(t.frames), stride(tile_stride(t.features)), score_stride(t.frames | 1), distances(2 * t.frames - 1) {
    const int rows = units * frames * stride, scores = units * frames * score_stride, angles = frames * t.features / 2;
    q = space;  // tiles of rows come first: they are read 16 bytes at a time
    k = q + rows;
    v = k + rows;
    grad_o = v + rows;
    p = backward ? grad_o + rows : grad_o;
    grad_p = p + scores;
    cosine = backward ? grad_p + scores : grad_p;
    sine = cosine + angles;
    bias = sine + angles;
    bias_sums = bias + t.heads * distances;
  }
  __device__ __forceinline__ int row(int unit, int frame) const { return (unit * frames + frame) * stride; }
  __device__ __forceinline__ int score(int unit, int query) const { return (unit * frames + query) * score_stride; }
};

/// @brief Of the first feature of a unit in a frame: the row of the tensor, and the offset in a row of W.
struct TemporalPlace {
  std::size_t cell, offset;
};
template <class S>
__device__ __forceinline__ TemporalPlace temporal_place(const TemporalAttention<S>& t, std::size_t unit, int frame) {
  const auto heads = static_cast<std::size_t>(t.heads), frames = static_cast<std::size_t>(t.frames);
  const std::size_t pixel = unit / heads;
  return {(pixel / t.pixels * frames + static_cast<std::size_t>(frame)) * t.pixels + pixel % t.pixels,
          unit % heads * static_cast<std::size_t>(t.features)};
}

/// @brief Calls visit(unit, frame, column, chunk of qkv (part 0), chunk of o) for the units of a tile; columns, then units
/// fastest. Chunks are of four also in bfloat16, since heads have few features.
template <class S, class Visit>
__device__ __forceinline__ void for_temporal_chunks(const TemporalAttention<S>& t, std::size_t first, int count, bool wide,
                                                    const Visit& visit) {
  const std::size_t width = static_cast<std::size_t>(t.heads) * static_cast<std::size_t>(t.features);
  for_tile(t.frames * count, t.features, [&](int row, int column) {
    const int unit = row % count, frame = row / count;
    const auto place = temporal_place(t, first + static_cast<std::size_t>(unit), frame);
    const std::size_t offset = place.offset + static_cast<std::size_t>(column);
    with_chunk(offset, column, t.features, wide, [&](auto chunk) {
      auto of_qkv = chunk, of_o = chunk;
      of_qkv.begin += place.cell * 3 * width;
      of_o.begin += place.cell * width;
      visit(unit, frame, column, of_qkv, of_o, width);
    });
  });
}

/// @brief Turns the pairs of four features by the frame's angles, forth or (direction -1) back, and scales them.
__device__ __forceinline__ void rotate(const TemporalTiles& s, int frame, int column, int features, float factor, float direction,
                                       Four<float>& v) {
  for (int k = 0; k < 4 && column + k < features; k += 2) {
    const int angle = frame * features / 2 + (column + k) / 2;
    const float cosine = factor * s.cosine[angle], sine = factor * direction * s.sine[angle], a = v.v[k], b = v.v[k + 1];
    v.v[k] = a * cosine - b * sine;
    v.v[k + 1] = b * cosine + a * sine;
  }
}

/// @brief Angles and biases by distance into shared memory, zero into the biases' sums. A barrier must follow.
template <class S>
__device__ __forceinline__ void stage_positions(const TemporalAttention<S>& t, const TemporalTiles& s, bool backward) {
  const int thread = static_cast<int>(threadIdx.x), threads = static_cast<int>(block_size);
  for (int i = thread; i < t.frames * t.features / 2; i += threads) {
    s.cosine[i] = t.cosine[i];
    s.sine[i] = t.sine[i];
  }
  for (int i = thread; i < t.heads * s.distances; i += threads) {
    const int head = i / s.distances, distance = i % s.distances - t.frames + 1;
    s.bias[i] = t.bias[ops::position_bucket(distance) * t.heads + head];
    if (backward) s.bias_sums[i] = 0;
  }
}

/// @brief Stages `count` units and leaves their probabilities in p. All threads must call it; it ends with a barrier.
template <class S>
__device__ __forceinline__ void temporal_probabilities(const TemporalAttention<S>& t, const TemporalTiles& s, std::size_t first,
                                                       int count, bool wide) {
  const float scale = 1.0f / sqrtf(static_cast<float>(t.features));
  for_temporal_chunks(t, first, count, wide, [&](int unit, int frame, int column, auto chunk, auto of_o, std::size_t width) {
    const int at = s.row(unit, frame) + column;
    auto v = load(t.qkv, chunk);
    rotate(s, frame, column, t.features, scale, 1.0f, v);
    store_shared(s.q + at, v);
    chunk.begin += width;
    v = load(t.qkv, chunk);
    rotate(s, frame, column, t.features, 1.0f, 1.0f, v);
    store_shared(s.k + at, v);
    chunk.begin += width;
    store_shared(s.v + at, load(t.qkv, chunk));
    if (t.grad_o != nullptr) store_shared(s.grad_o + at, load(t.grad_o, of_o));
  });
  __syncthreads();
  const int thread = static_cast<int>(threadIdx.x), threads = static_cast<int>(block_size), frames = t.frames;
  for (int i = thread; i < count * frames * frames; i += threads) {
    const int key = i % frames, query = i / frames % frames, unit = i / (frames * frames);
    const int head = static_cast<int>((first + static_cast<std::size_t>(unit)) % static_cast<std::size_t>(t.heads));
    s.p[s.score(unit, query) + key] =
        dot(s.q + s.row(unit, query), s.k + s.row(unit, key), t.features) + s.bias[head * s.distances + query - key + frames - 1];
  }
  __syncthreads();
  for (int i = thread; i < count * frames; i += threads) {
    float* p = s.p + i * s.score_stride;
    float peak = p[0], total = 0;
    for (int key = 1; key < frames; ++key) peak = p[key] > peak ? p[key] : peak;
    for (int key = 0; key < frames; ++key) total += p[key] = expf(p[key] - peak);
    const float inverse = 1.0f / total;
    for (int key = 0; key < frames; ++key) p[key] *= inverse;
  }
  __syncthreads();
}

/// @brief o = softmax(R q (R k)^T features^-1/2 + bias) v over the frames of each pixel and head.
///
/// Moves the bytes of q, k, v in and those of o out; each block reads the angles (4 T features) and the biases (4 heads (2 T -
/// 1)). NaN: stays within its pixel and head.
template <int threads, class S>
__global__ void __launch_bounds__(threads) temporal_forward_kernel(TemporalAttention<S> t, std::size_t all, int units) {
  LACUNA_DYNAMIC_SHARED(float, space);
  const TemporalTiles s(t, space, units, false);
  const bool wide = t.features % 4 == 0 && aligned(t.qkv) && aligned(t.result);
  stage_positions(t, s, false);
  __syncthreads();
  for (std::size_t first = blockIdx.x * static_cast<std::size_t>(units); first < all;
       first += gridDim.x * static_cast<std::size_t>(units)) {
    const int count = all - first < static_cast<std::size_t>(units) ? static_cast<int>(all - first) : units;
    temporal_probabilities(t, s, first, count, wide);
    for_temporal_chunks(t, first, count, wide, [&](int unit, int frame, int column, auto, auto chunk, std::size_t) {
      store(t.result, chunk, products(s.p + s.score(unit, frame), 1, s.v + s.row(unit, 0) + column, s.stride, t.frames));
    });
    __syncthreads();  // the next units may overwrite
  }
}

/// @brief Gradient of qkv, and a block's sums of the gradient of the bias by head and distance.
///
/// Probabilities are computed again: that takes T features multiplications a score from shared memory, where keeping them would
/// move 8 T bytes for each cell and head. Moves the bytes of q, k, v and of the gradient of o in and those of the three
/// gradients out; each block reads the angles and biases as forward does and writes 4 heads (2 T - 1). NaN: as forward, and in
/// the bias' gradient.
template <int threads, class S>
__global__ void __launch_bounds__(threads) temporal_backward_kernel(TemporalAttention<S> t, std::size_t all, int units) {
  LACUNA_DYNAMIC_SHARED(float, space);
  const TemporalTiles s(t, space, units, true);
  const bool wide = t.features % 4 == 0 && aligned(t.qkv) && aligned(t.result) && aligned(t.grad_o);
  const int thread = static_cast<int>(threadIdx.x), frames = t.frames;
  const float scale = 1.0f / sqrtf(static_cast<float>(t.features));
  stage_positions(t, s, true);
  __syncthreads();
  for (std::size_t first = blockIdx.x * static_cast<std::size_t>(units); first < all;
       first += gridDim.x * static_cast<std::size_t>(units)) {
    const int count = all - first < static_cast<std::size_t>(units) ? static_cast<int>(all - first) : units;
    temporal_probabilities(t, s, first, count, wide);
    for (int i = thread; i < count * frames * frames; i += threads) {
      const int key = i % frames, query = i / frames % frames, unit = i / (frames * frames);
      s.grad_p[s.score(unit, query) + key] = dot(s.grad_o + s.row(unit, query), s.v + s.row(unit, key), t.features);
    }
    for_temporal_chunks(t, first, count, wide, [&](int unit, int frame, int column, auto chunk, auto, std::size_t width) {
      chunk.begin += 2 * width;
      store(t.result, chunk,
            products(s.p + s.score(unit, 0) + frame, s.score_stride, s.grad_o + s.row(unit, 0) + column, s.stride, frames));
    });
    __syncthreads();
    for (int i = thread; i < count * frames; i += threads) {  // p becomes the gradient of the scores
      float *p = s.p + i * s.score_stride, *grad_p = s.grad_p + i * s.score_stride, sum = 0;
      for (int key = 0; key < frames; ++key) sum += p[key] * grad_p[key];
      for (int key = 0; key < frames; ++key) p[key] *= grad_p[key] - sum;
    }
    __syncthreads();
    for_temporal_chunks(t, first, count, wide, [&](int unit, int frame, int column, auto chunk, auto, std::size_t width) {
      auto grad = products(s.p + s.score(unit, frame), 1, s.k + s.row(unit, 0) + column, s.stride, frames);
      rotate(s, frame, column, t.features, scale, -1.0f, grad);
      store(t.result, chunk, grad);
      chunk.begin += width;
      grad = products(s.p + s.score(unit, 0) + frame, s.score_stride, s.q + s.row(unit, 0) + column, s.stride, frames);
      rotate(s, frame, column, t.features, 1.0f, -1.0f, grad);
      store(t.result, chunk, grad);
    });
    for (int i = thread; i < t.heads * s.distances; i += threads) {
      const int head = i / s.distances, distance = i % s.distances - frames + 1;
      const int begin = static_cast<int>(first % static_cast<std::size_t>(t.heads));
      for (int unit = (head - begin + t.heads) % t.heads; unit < count; unit += t.heads)
        for (int query = distance > 0 ? distance : 0; query < frames && query - distance < frames; ++query)
          s.bias_sums[i] += s.p[s.score(unit, query) + query - distance];
    }
    __syncthreads();  // the next units may overwrite
  }
  const int size = t.heads * s.distances;
  for (int i = thread; i < size; i += threads)
    t.sums[blockIdx.x * static_cast<std::size_t>(size) + static_cast<std::size_t>(i)] = s.bias_sums[i];
}

/// @brief grad_bias (32, heads) += the blocks' sums of the distances in each bucket. Grid (32, heads).
///
/// Moves 4 blocks heads (2 T - 1) + 128 heads bytes in, 128 heads out.
template <int threads>
__global__ void __launch_bounds__(threads)
    temporal_bias_kernel(const float* __restrict__ sums, unsigned blocks, int frames, float* __restrict__ grad_bias) {
  const auto distances = static_cast<std::size_t>(2 * frames - 1), heads = static_cast<std::size_t>(gridDim.y);
  float sum = 0;
  for (int distance = 1 - frames; distance < frames; ++distance) {
    if (ops::position_bucket(distance) != static_cast<int>(blockIdx.x)) continue;
    for (std::size_t block = threadIdx.x; block < blocks; block += threads)
      sum += sums[(block * heads + blockIdx.y) * distances + static_cast<std::size_t>(distance + frames - 1)];
  }
  sum = block_sum(sum);
  if (threadIdx.x == 0) grad_bias[blockIdx.x * heads + blockIdx.y] += sum;
}

/// @brief Launches the forward pass. Throws: ShapeError.
template <class S>
void temporal_attention_forward(Stream stream, const TemporalAttention<S>& t) {
  const auto plan = TemporalPlan::of(t, false);
  launch(stream, &temporal_forward_kernel<block_size, S>, plan.blocks, block_size, plan.shared, t, plan.all, plan.units);
}

/// @brief Floats of `sums`.
template <class S>
std::size_t temporal_attention_sums(const TemporalAttention<S>& t) {
  return TemporalPlan::of(t, true).blocks * static_cast<std::size_t>(t.heads * (2 * t.frames - 1));
}

/// @brief Launches the backward pass: overwrites the gradient of qkv, adds to grad_bias (32, heads). Throws: ShapeError.
template <class S>
void temporal_attention_backward(Stream stream, const TemporalAttention<S>& t, float* grad_bias) {
  const auto plan = TemporalPlan::of(t, true);
  launch(stream, &temporal_backward_kernel<block_size, S>, plan.blocks, block_size, plan.shared, t, plan.all, plan.units);
  launch(stream, &temporal_bias_kernel<block_size>, dim3(ops::position_buckets, static_cast<unsigned>(t.heads)), block_size, 0,
         t.sums, plan.blocks, t.frames, grad_bias);
}

}  // namespace lacuna::kernels
