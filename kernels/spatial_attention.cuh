#pragma once

#include "position_attention.cuh"

namespace lacuna::kernels {

/// @brief Of each unit's positions what the backward pass needs of the softmax: arrays (units, positions) one after the other.
struct SpatialStatistics {
  float *peak, *inverse, *product;  ///< largest score, 1 / sum of exp(score - peak), o . gradient of o

  template <class S>
  LACUNA_HOST_DEVICE static std::size_t size(const PositionAttention<S>& a) {
    return 3 * a.images * static_cast<std::size_t>(a.heads) * static_cast<std::size_t>(a.positions);
  }
  template <class S>
  __device__ __forceinline__ SpatialStatistics(const PositionAttention<S>& a, float* all, std::size_t unit)
      : peak(all + unit * static_cast<std::size_t>(a.positions)), inverse(peak + size(a) / 3), product(inverse + size(a) / 3) {}
};

/// @brief Calls visit(row, column) for every two rows by two columns of a tile of scores: row and row + rows / 2, column and
/// column + columns / 2, so that neighbours read neighbouring rows of features.
template <class Visit>
__device__ __forceinline__ void for_score_blocks(int rows, int columns, const Visit& visit) {
  for (int i = static_cast<int>(threadIdx.x); i < rows / 2 * (columns / 2); i += static_cast<int>(block_size))
    visit(i / (columns / 2), i % (columns / 2));
}

/// @brief Two by two sums.
struct TwoByTwo {
  float v[2][2];
};

/// @brief dot() of the rows a and a + a_apart with b and b + b_apart.
__device__ __forceinline__ TwoByTwo block_dots(const float* a, int a_apart, const float* b, int b_apart, int count) {
  TwoByTwo sums{};
  for (int k = 0; k < count; k += 4) {
    const Four<float> x[2] = {load_shared(a + k), load_shared(a + a_apart + k)},
                      y[2] = {load_shared(b + k), load_shared(b + b_apart + k)};
    for (int r = 0; r < 2; ++r)
      for (int c = 0; c < 2; ++c)
        for (int j = 0; j < 4; ++j) sums.v[r][c] += x[r].v[j] * y[c].v[j];
  }
  return sums;
}

/// @brief products() with the rows a and a + a_apart; into `sums` of those rows, which are multiplied by their factor first.
__device__ __forceinline__ void add_products(const float* a, int a_apart, const float* b, int b_step, int count, float* sums,
                                             int sums_apart, float factor = 1.0f, float second_factor = 1.0f) {
  auto first = load_shared(sums), second = load_shared(sums + sums_apart);
  for (int j = 0; j < 4; ++j) {
    first.v[j] *= factor;
    second.v[j] *= second_factor;
  }
  LACUNA_UNROLL_FOUR
  for (int k = 0; k < count; ++k) {
    const auto y = load_shared(b + k * b_step);
    const float x = a[k], x2 = a[a_apart + k];
    for (int j = 0; j < 4; ++j) {
      first.v[j] += x * y.v[j];
      second.v[j] += x2 * y.v[j];
    }
  }
  store_shared(sums, first);
  store_shared(sums + sums_apart, second);
}

__device__ __forceinline__ void clear_shared(float* tile, int count) {
  for (int i = static_cast<int>(threadIdx.x); i < count; i += static_cast<int>(block_size)) tile[i] = 0;
}

/// @brief Calls visit(count) for tile after tile of a unit's keys and values, staged in k and v. Every thread must call it.
template <class S, class Visit>
__device__ __forceinline__ void for_key_tiles(const PositionAttention<S>& a, const UnitRows<S>& at, int keys, float* k, float* v,
                                              const Visit& visit) {
  for (int first = 0; first < a.positions; first += keys) {
    const int count = a.positions - first < keys ? a.positions - first : keys;
    stage(a.qkv + at.qkv(1, first), at.qkv_apart(), count, keys, a.features, k);
    stage(a.qkv + at.qkv(2, first), at.qkv_apart(), count, keys, a.features, v);
    __syncthreads();
    visit(count);
    __syncthreads();  // the next keys may overwrite
  }
}

/// @brief The softmax of a query's row of scores, tile by tile, in each of the four lanes that hold it.
struct RunningSoftmax {
  float peak = std::numeric_limits<float>::lowest(), total = 0;

  /// Turns scores into exp(score - peak), and tells the factor by which sums of earlier ones shrink. Whole warps must call it.
  __device__ __forceinline__ float take(float* scores, int lane, int count) {
    float now = peak, sum = 0;
    for (int key = lane; key < count; key += 4) now = larger(now, scores[key]);
    now = quad_max(now);
    for (int key = lane; key < count; key += 4) sum += scores[key] = expf(scores[key] - now);
    const float factor = expf(peak - now);
    total = total * factor + quad_sum(sum);
    peak = now;
    return factor;
  }
};

/// @brief o = softmax(q k^T / sqrt(F)) v of a tile of queries, key tile by key tile: no score leaves the block. Grid (units,
/// tiles of `rows` queries).
///
/// Moves the bytes of q in and those of o out, those of k and v in once for each tile of queries; with statistics (else null)
/// those of the gradient of o in and 12 bytes out for each position of a unit. NaN in q: stays within its position and head; in k
/// or v: within their image and head.
/// One block per multiprocessor is enough to ask for, here and in the gradients' kernels: with more, registers spill.
template <int threads, class S>
__global__ void __launch_bounds__(threads, 1) spatial_attention_kernel(PositionAttention<S> a, int rows, float* statistics) {
  LACUNA_DYNAMIC_SHARED(float, space);
  const int f = a.features, stride = tile_stride(f), keys = rows / 2, score_stride = tile_stride(keys);
  float *q = space, *o = q + rows * stride, *k = o + rows * stride, *v = k + keys * stride, *p = v + keys * stride,
        *factor = p + rows * score_stride;
  const UnitRows<S> at(a, blockIdx.x);
  const float scale = 1.0f / sqrtf(static_cast<float>(f));
  const int first = static_cast<int>(blockIdx.y) * rows, count = a.positions - first < rows ? a.positions - first : rows;
  const int row = static_cast<int>(threadIdx.x) / 4, lane = static_cast<int>(threadIdx.x) % 4;  // of the softmax
  RunningSoftmax softmax;
  stage(a.qkv + at.qkv(0, first), at.qkv_apart(), count, rows, f, q);
  clear_shared(o, rows * stride);
  for_key_tiles(a, at, keys, k, v, [&](int here) {
    for_score_blocks(rows, keys, [&](int i, int j) {
      const auto scores = block_dots(q + i * stride, rows / 2 * stride, k + j * stride, keys / 2 * stride, f);
      for (int r = 0; r < 2; ++r)
        for (int c = 0; c < 2; ++c) p[(i + r * rows / 2) * score_stride + j + c * keys / 2] = scale * scores.v[r][c];
    });
    __syncthreads();
    if (row < rows) {  // whole warps
      const float shrinks = softmax.take(p + row * score_stride, lane, here);
      if (lane == 0) factor[row] = shrinks;
    }
    __syncthreads();
    for_tile(rows / 2, f, [&](int i, int column) {
      add_products(p + i * score_stride, rows / 2 * score_stride, v + column, stride, here, o + i * stride + column,
                   rows / 2 * stride, factor[i], factor[i + rows / 2]);
    });
  });
  const float inverse = 1.0f / softmax.total;
  if (row < rows && lane == 0) factor[row] = inverse;
  if (statistics != nullptr) stage(a.grad_o + at.o(first), at.o_apart(), count, rows, f, q);  // queries are done
  __syncthreads();
  unstage(a.o + at.o(first), at.o_apart(), count, f, [&](int i, int column) {
    auto value = load_shared(o + i * stride + column);
    for (float& e : value.v) e *= factor[i];
    return value;
  });
  if (statistics == nullptr || row >= rows) return;
  float sum = 0;
  for_lane_columns(lane, f, [&](int column) {
    const auto value = load_shared(o + row * stride + column), grad = load_shared(q + row * stride + column);
    for (int j = 0; j < 4; ++j) sum += value.v[j] * grad.v[j];
  });
  sum = quad_sum(sum);
  if (row >= count || lane != 0) return;
  const SpatialStatistics to(a, statistics, blockIdx.x);
  to.peak[first + row] = softmax.peak;
  to.inverse[first + row] = inverse;
  to.product[first + row] = sum * inverse;
}

/// @brief A probability and the gradient of its score, from score, gradient of the probability and the query's statistics.
struct ScoreGradient {
  float p, grad_score;

  __device__ __forceinline__ ScoreGradient(float score, float grad_p, float peak, float inverse, float product, float scale)
      : p(expf(scale * score - peak) * inverse), grad_score(scale * p * (grad_p - product)) {}
};

/// @brief A tile of queries' statistics in shared memory; zeros beyond the last position.
struct StagedStatistics {
  float *peak, *inverse, *product;

  __device__ __forceinline__ StagedStatistics(float* space, int rows)
      : peak(space), inverse(space + rows), product(space + 2 * rows) {}
  __device__ __forceinline__ void load(const SpatialStatistics& from, int first, int count, int rows) const {
    for (int i = static_cast<int>(threadIdx.x); i < rows; i += static_cast<int>(block_size)) {
      peak[i] = i < count ? from.peak[first + i] : 0.0f;
      inverse[i] = i < count ? from.inverse[first + i] : 0.0f;
      product[i] = i < count ? from.product[first + i] : 0.0f;
    }
  }
};

/// @brief Gradient of a tile of queries. Grid (units, tiles of `rows` queries).
///
/// Probabilities are computed again. Moves the bytes of q and of the gradient of o in and those of the gradient of q out, 12
/// bytes in for each position of a unit, and the bytes of k and v in once for each tile. NaN: as forward.
template <int threads, class S>
__global__ void __launch_bounds__(threads, 1)
    spatial_query_gradients_kernel(PositionAttention<S> a, int rows, float* statistics) {
  LACUNA_DYNAMIC_SHARED(float, space);
  const int f = a.features, stride = tile_stride(f), keys = rows / 2, score_stride = tile_stride(keys);
  float *q = space, *grad_o = q + rows * stride, *grad_q = grad_o + rows * stride, *k = grad_q + rows * stride,
        *v = k + keys * stride, *grad_scores = v + keys * stride;
  const StagedStatistics staged(grad_scores + rows * score_stride, rows);
  const UnitRows<S> at(a, blockIdx.x);
  const float scale = 1.0f / sqrtf(static_cast<float>(f));
  const int first = static_cast<int>(blockIdx.y) * rows, count = a.positions - first < rows ? a.positions - first : rows;
  stage(a.qkv + at.qkv(0, first), at.qkv_apart(), count, rows, f, q);
  stage(a.grad_o + at.o(first), at.o_apart(), count, rows, f, grad_o);
  staged.load(SpatialStatistics(a, statistics, blockIdx.x), first, count, rows);
  clear_shared(grad_q, rows * stride);
  for_key_tiles(a, at, keys, k, v, [&](int here) {
    for_score_blocks(rows, keys, [&](int i, int j) {
      const auto scores = block_dots(q + i * stride, rows / 2 * stride, k + j * stride, keys / 2 * stride, f),
                 grad_p = block_dots(grad_o + i * stride, rows / 2 * stride, v + j * stride, keys / 2 * stride, f);
      for (int r = 0; r < 2; ++r)
        for (int c = 0; c < 2; ++c) {
          const int query = i + r * rows / 2;
          const ScoreGradient g(scores.v[r][c], grad_p.v[r][c], staged.peak[query], staged.inverse[query], staged.product[query],
                                scale);
          grad_scores[query * score_stride + j + c * keys / 2] = g.grad_score;
        }
    });
    __syncthreads();
    for_tile(rows / 2, f, [&](int i, int column) {
      add_products(grad_scores + i * score_stride, rows / 2 * score_stride, k + column, stride, here,
                   grad_q + i * stride + column, rows / 2 * stride);
    });
  });
  unstage(a.grad_qkv + at.qkv(0, first), at.qkv_apart(), count, f,
          [&](int i, int column) { return load_shared(grad_q + i * stride + column); });
}

/// @brief Gradients of a tile of keys and values. Grid (units, tiles of `rows` keys).
///
/// Scores are held with keys as rows. Moves the bytes of k and v in and those of their gradients out; those of q and of the
/// gradient of o, and 12 bytes for each position of a unit, in once for each tile. NaN: as forward; that of a query reaches all
/// keys of its image and head.
template <int threads, class S>
__global__ void __launch_bounds__(threads, 1) spatial_key_gradients_kernel(PositionAttention<S> a, int rows, float* statistics) {
  LACUNA_DYNAMIC_SHARED(float, space);
  const int f = a.features, stride = tile_stride(f), queries = rows, score_stride = tile_stride(queries);
  float *k = space, *v = k + rows * stride, *grad_k = v + rows * stride, *grad_v = grad_k + rows * stride,
        *q = grad_v + rows * stride, *grad_o = q + queries * stride, *p = grad_o + queries * stride,
        *grad_scores = p + rows * score_stride;
  const StagedStatistics staged(grad_scores + rows * score_stride, queries);
  const UnitRows<S> at(a, blockIdx.x);
  const SpatialStatistics from(a, statistics, blockIdx.x);
  const float scale = 1.0f / sqrtf(static_cast<float>(f));
  const int first = static_cast<int>(blockIdx.y) * rows, count = a.positions - first < rows ? a.positions - first : rows;
  stage(a.qkv + at.qkv(1, first), at.qkv_apart(), count, rows, f, k);
  stage(a.qkv + at.qkv(2, first), at.qkv_apart(), count, rows, f, v);
  clear_shared(grad_k, 2 * rows * stride);
  for (int begin = 0; begin < a.positions; begin += queries) {
    const int here = a.positions - begin < queries ? a.positions - begin : queries;
    stage(a.qkv + at.qkv(0, begin), at.qkv_apart(), here, queries, f, q);
    stage(a.grad_o + at.o(begin), at.o_apart(), here, queries, f, grad_o);
    staged.load(from, begin, here, queries);
    __syncthreads();
    for_score_blocks(rows, queries, [&](int i, int j) {
      const auto scores = block_dots(k + i * stride, rows / 2 * stride, q + j * stride, queries / 2 * stride, f),
                 grad_p = block_dots(v + i * stride, rows / 2 * stride, grad_o + j * stride, queries / 2 * stride, f);
      for (int r = 0; r < 2; ++r)
        for (int c = 0; c < 2; ++c) {
          const int query = j + c * queries / 2, to = (i + r * rows / 2) * score_stride + query;
          const ScoreGradient g(scores.v[r][c], grad_p.v[r][c], staged.peak[query], staged.inverse[query], staged.product[query],
                                scale);
          p[to] = g.p;
          grad_scores[to] = g.grad_score;
        }
    });
    __syncthreads();
    for_tile(rows, f, [&](int i, int column) {
      const bool of_keys = i < rows / 2;
      const int key = of_keys ? i : i - rows / 2;
      add_products((of_keys ? grad_scores : p) + key * score_stride, rows / 2 * score_stride, (of_keys ? q : grad_o) + column,
                   stride, here, (of_keys ? grad_k : grad_v) + key * stride + column, rows / 2 * stride);
    });
    __syncthreads();  // the next queries may overwrite
  }
  unstage(a.grad_qkv + at.qkv(1, first), at.qkv_apart(), count, f,
          [&](int i, int column) { return load_shared(grad_k + i * stride + column); });
  unstage(a.grad_qkv + at.qkv(2, first), at.qkv_apart(), count, f,
          [&](int i, int column) { return load_shared(grad_v + i * stride + column); });
}

/// @brief How a launch is cut up: tiles of `rows` positions, against tiles of `others`.
struct SpatialPlan {
  int rows;
  std::size_t shared;  ///< bytes

  /// own, other: tiles of features; scores: tiles of them; statistics: numbers beside, for each of a tile's rows.
  static SpatialPlan of(int features, int most, int others, int own, int other, int scores, int statistics) {
    const auto floats = [&](int rows) {
      const int against = rows / others;
      return static_cast<std::size_t>((own * rows + other * against) * tile_stride(features) +
                                      scores * rows * tile_stride(against) + statistics * rows);
    };
    const int rows = attention_rows("spatial_attention", features, most, floats);
    return {rows, floats(rows) * sizeof(float)};
  }
  static SpatialPlan forward(int features) { return of(features, 64, 2, 2, 2, 1, 1); }
  static SpatialPlan queries(int features) { return of(features, 64, 2, 3, 2, 1, 3); }
  static SpatialPlan keys(int features) { return of(features, 32, 1, 4, 2, 2, 3); }

  std::size_t tiles(int positions) const { return static_cast<std::size_t>((positions + rows - 1) / rows); }
};

template <class S, class Kernel>
void launch_spatial_attention(Stream stream, Kernel kernel, const PositionAttention<S>& a, const SpatialPlan& plan,
                              float* statistics) {
  launch(stream, kernel, dim3(static_cast<unsigned>(a.units()), static_cast<unsigned>(plan.tiles(a.positions))), block_size,
         plan.shared, a, plan.rows, statistics);
}

/// @brief o = softmax(q k^T / sqrt(F)) v over the positions of each image and head.
///
/// Work: 4 positions^2 F FLOPs a unit. Bytes: as its kernel. NaN: stays within its image and head. Determinism: one order of sums
/// for each size, no atomics. Throws: ShapeError if a head has too many features for shared memory; 128 it may have.
template <class S>
void spatial_attention_forward(Stream stream, const PositionAttention<S>& a) {
  launch_spatial_attention(stream, &spatial_attention_kernel<block_size, S>, a, SpatialPlan::forward(a.features), nullptr);
}

/// @brief Overwrites the gradient of q, k, v, and o once more, for the gradient of what follows it.
///
/// statistics: SpatialStatistics::size() floats of workspace. Work: 14 positions^2 F FLOPs a unit. Bytes: as its three kernels.
/// NaN, determinism, Throws: as forward.
template <class S>
void spatial_attention_backward(Stream stream, const PositionAttention<S>& a, float* statistics) {
  launch_spatial_attention(stream, &spatial_attention_kernel<block_size, S>, a, SpatialPlan::forward(a.features), statistics);
  launch_spatial_attention(stream, &spatial_query_gradients_kernel<block_size, S>, a, SpatialPlan::queries(a.features),
                           statistics);
  launch_spatial_attention(stream, &spatial_key_gradients_kernel<block_size, S>, a, SpatialPlan::keys(a.features), statistics);
}

}  // namespace lacuna::kernels
