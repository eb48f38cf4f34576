#pragma once

#include "partial_sums.cuh"
#include "position_attention.cuh"

namespace lacuna::kernels {

/// @brief How the positions of a unit are dealt to `runs` blocks, by the problem alone, and what a launch takes of memory.
struct LinearAttentionPlan {
  static constexpr std::size_t least_positions = 128, most_runs = 128, wanted_blocks = 512;
  std::size_t units, features;
  unsigned runs;

  template <class S>
  static LinearAttentionPlan of(const PositionAttention<S>& a) {
    const std::size_t units = a.units(), most = (static_cast<std::size_t>(a.positions) + least_positions - 1) / least_positions,
                      wanted = (wanted_blocks + units - 1) / units, limit = most < most_runs ? most : most_runs;
    return {units, static_cast<std::size_t>(a.features), static_cast<unsigned>(wanted < limit ? wanted : limit)};
  }
  /// Floats of workspace: of every run of keys peaks, totals and context.
  std::size_t forward_workspace() const { return units * runs * features * (features + 2); }
  /// Of every run of queries the context's gradient, and the sums of these.
  std::size_t backward_workspace() const { return units * features * features * (runs + 1); }
};

/// @brief The softmax of k over positions (peak, 1 / total of each feature) and k^T v, by it, of a unit: the meaning of
/// ops::LinearAttentionState, whose layout `states` (images, 2 W + W features) has.
struct LinearAttentionUnit {
  float *peak, *inverse, *context;  // (features), (features), (features, features)

  __device__ __forceinline__ LinearAttentionUnit(float* states, int heads, int features, std::size_t unit) {
    const auto h = static_cast<std::size_t>(heads), f = static_cast<std::size_t>(features), head = unit % h;
    float* own = states + unit / h * (h * f * (2 + f));
    peak = own + head * f;
    inverse = peak + h * f;
    context = own + 2 * h * f + head * f * f;
  }
};

/// @brief Calls visit(first, count) for the tiles of `rows` positions that the block's run has. Grid (units, runs).
template <class S, class Visit>
__device__ __forceinline__ void for_run_tiles(const PositionAttention<S>& a, int rows, const Visit& visit) {
  for (int first = static_cast<int>(blockIdx.y) * rows; first < a.positions; first += static_cast<int>(gridDim.y) * rows)
    visit(first, a.positions - first < rows ? a.positions - first : rows);
}

/// @brief Of a run's keys the peak of each feature, and sums of exp(k - peak) and of exp(k - peak) v. Grid (units, runs).
///
/// Moves the bytes of k and v in, 4 F (F + 2) out for each run of a unit. NaN in k: in its feature's total and context; in v: in
/// its column of the context.
/// One block per multiprocessor is enough to ask for, here and where gradients are computed: with more, registers spill.
template <int threads, class S>
__global__ void __launch_bounds__(threads, 1)
    linear_attention_keys_kernel(PositionAttention<S> a, int rows, float* __restrict__ partial) {
  LACUNA_DYNAMIC_SHARED(float, space);
  const int f = a.features, stride = tile_stride(f), thread = static_cast<int>(threadIdx.x), groups = threads / f;
  float *k = space, *v = k + rows * stride, *context = v + rows * stride, *peak = context + f * stride, *total = peak + f,
        *factor = total + f, *highest = factor + f;  // highest: (groups, F)
  const UnitRows<S> at(a, blockIdx.x);
  for (int i = thread; i < f * stride; i += threads) context[i] = 0;
  for (int i = thread; i < f; i += threads) {
    peak[i] = std::numeric_limits<float>::lowest();
    total[i] = 0;
  }
  for_run_tiles(a, rows, [&](int first, int count) {
    stage(a.qkv + at.qkv(1, first), at.qkv_apart(), count, rows, f, k);
    stage(a.qkv + at.qkv(2, first), at.qkv_apart(), count, rows, f, v);
    __syncthreads();
    if (thread < groups * f) {
      float most = std::numeric_limits<float>::lowest();
      for (int row = thread / f; row < count; row += groups) most = larger(most, k[row * stride + thread % f]);
      highest[thread] = most;
    }
    __syncthreads();
    if (thread < f) {
      float now = peak[thread];
      for (int group = 0; group < groups; ++group) now = larger(now, highest[group * f + thread]);
      factor[thread] = expf(peak[thread] - now);
      peak[thread] = now;
    }
    __syncthreads();
    for (int i = thread; i < count * f; i += threads) {
      float& e = k[i / f * stride + i % f];
      e = expf(e - peak[i % f]);
    }
    __syncthreads();
    for_tile(f, f, [&](int d, int column) {
      float* own = context + d * stride + column;
      auto sums = products(k + d, stride, v + column, stride, count);
      const auto before = load_shared(own);
      for (int j = 0; j < 4; ++j) sums.v[j] += before.v[j] * factor[d];
      store_shared(own, sums);
    });
    if (thread < f) {
      float sum = total[thread] * factor[thread];
      for (int row = 0; row < count; ++row) sum += k[row * stride + thread];
      total[thread] = sum;
    }
    __syncthreads();  // the next tile may overwrite
  });
  float* own = partial + (static_cast<std::size_t>(blockIdx.x) * gridDim.y + blockIdx.y) * static_cast<std::size_t>(f * (f + 2));
  for (int i = thread; i < f; i += threads) {
    own[i] = peak[i];
    own[f + i] = total[i];
  }
  unstage(own + 2 * f, static_cast<std::size_t>(f), f, f,
          [&](int d, int column) { return load_shared(context + d * stride + column); });
}

/// @brief A unit's state from what its runs left. Grid (units).
///
/// Moves 4 F (F + 2) bytes in for each run of a unit, as many out for each unit.
template <int threads>
__global__ void __launch_bounds__(threads)
    linear_attention_merge_kernel(const float* __restrict__ partial, int runs, int heads, int features, float* states) {
  LACUNA_DYNAMIC_SHARED(float, space);
  float *factor = space, *inverse = space + runs * features;  // (runs, F), (F)
  const int f = features, thread = static_cast<int>(threadIdx.x), size = f * (f + 2);
  const LinearAttentionUnit state(states, heads, f, blockIdx.x);
  const float* own = partial + static_cast<std::size_t>(blockIdx.x) * static_cast<std::size_t>(runs * size);
  for (int d = thread; d < f; d += threads) {
    float peak = std::numeric_limits<float>::lowest(), total = 0;
    for (int run = 0; run < runs; ++run) peak = larger(peak, factor[run * f + d] = own[run * size + d]);
    for (int run = 0; run < runs; ++run) {
      float& e = factor[run * f + d];
      e = expf(e - peak);
      total += own[run * size + f + d] * e;
    }
    state.peak[d] = peak;
    state.inverse[d] = inverse[d] = 1.0f / total;
  }
  __syncthreads();
  for (int i = thread; i < f * f; i += threads) {
    const int d = i / f;
    float sum = 0;
    for (int run = 0; run < runs; ++run) sum += own[run * size + 2 * f + i] * factor[run * f + d];
    state.context[i] = sum * inverse[d];
  }
}

/// @brief The unit's context / sqrt(F) into shared memory.
__device__ __forceinline__ void stage_context(const float* from, int features, float* context) {
  const int stride = tile_stride(features);
  const float scale = 1.0f / sqrtf(static_cast<float>(features));
  for_tensor_tile(from, static_cast<std::size_t>(features), features, features, [&](int d, int column, auto chunk) {
    auto v = load(from, chunk);
    for (float& e : v.v) e *= scale;
    store_shared(context + d * stride + column, v);
  });
}

/// @brief o = softmax(q) context / sqrt(F). Grid (units, runs).
///
/// Moves the bytes of q in and those of o out; each block reads its unit's context, 4 F F bytes. NaN in q: stays within its
/// position and head.
template <int threads, class S>
__global__ void __launch_bounds__(threads) linear_attention_queries_kernel(PositionAttention<S> a, int rows, float* states) {
  LACUNA_DYNAMIC_SHARED(float, space);
  const int f = a.features, stride = tile_stride(f);
  float *context = space, *q = context + f * stride;
  const UnitRows<S> at(a, blockIdx.x);
  stage_context(LinearAttentionUnit(states, a.heads, f, blockIdx.x).context, f, context);
  for_run_tiles(a, rows, [&](int first, int count) {
    stage(a.qkv + at.qkv(0, first), at.qkv_apart(), count, rows, f, q);
    __syncthreads();
    softmax_tile(q, rows, f);
    __syncthreads();
    unstage(a.o + at.o(first), at.o_apart(), count, f,
            [&](int row, int column) { return products(q + row * stride, 1, context + column, stride, f); });
    __syncthreads();  // the next tile may overwrite
  });
}

/// @brief Gradient of q, o once more, and a run's sums of the gradient of its unit's context. Grid (units, runs).
///
/// Moves the bytes of q and the gradient of o in, those of o and of the gradient of q out; each block reads its unit's context,
/// 4 F F bytes, and writes as many. NaN in q or the gradient of o: in its position, and in the context's gradient.
template <int threads, class S>
__global__ void __launch_bounds__(threads, 1)
    linear_attention_query_gradients_kernel(PositionAttention<S> a, int rows, float* states, float* __restrict__ partial) {
  LACUNA_DYNAMIC_SHARED(float, space);
  const int f = a.features, stride = tile_stride(f), thread = static_cast<int>(threadIdx.x);
  float *context = space, *grad_context = context + f * stride, *q = grad_context + f * stride, *grad_o = q + rows * stride,
        *grad_q = grad_o + rows * stride;
  const UnitRows<S> at(a, blockIdx.x);
  stage_context(LinearAttentionUnit(states, a.heads, f, blockIdx.x).context, f, context);
  for (int i = thread; i < f * stride; i += threads) grad_context[i] = 0;
  for_run_tiles(a, rows, [&](int first, int count) {
    stage(a.qkv + at.qkv(0, first), at.qkv_apart(), count, rows, f, q);
    stage(a.grad_o + at.o(first), at.o_apart(), count, rows, f, grad_o);
    __syncthreads();
    softmax_tile(q, rows, f);
    __syncthreads();
    unstage(a.o + at.o(first), at.o_apart(), count, f,
            [&](int row, int column) { return products(q + row * stride, 1, context + column, stride, f); });
    for_tile(rows, f, [&](int row, int column) {
      store_shared(grad_q + row * stride + column,
                   four_dots(grad_o + row * stride, context + column * stride, stride, f - column, f));
    });
    for_tile(f, f, [&](int d, int column) {
      float* own = grad_context + d * stride + column;
      auto sums = products(q + d, stride, grad_o + column, stride, count);
      const auto before = load_shared(own);
      for (int j = 0; j < 4; ++j) sums.v[j] += before.v[j];
      store_shared(own, sums);
    });
    __syncthreads();
    softmax_tile_gradient(q, grad_q, rows, f);
    __syncthreads();
    unstage(a.grad_qkv + at.qkv(0, first), at.qkv_apart(), count, f,
            [&](int row, int column) { return load_shared(grad_q + row * stride + column); });
    __syncthreads();  // the next tile may overwrite
  });
  const float scale = 1.0f / sqrtf(static_cast<float>(f));
  const auto size = static_cast<std::size_t>(f * f);
  unstage(partial + (static_cast<std::size_t>(blockIdx.y) * gridDim.x + blockIdx.x) * size, static_cast<std::size_t>(f), f, f,
          [&](int d, int column) {
            auto v = load_shared(grad_context + d * stride + column);
            for (float& e : v.v) e *= scale;
            return v;
          });
}

/// @brief Gradients of k and v from those of the contexts (units, F, F). Grid (units, runs).
///
/// With p the softmax of k: grad_v = p grad_context, grad_k = p (v grad_context^T - sum over positions of the same), and that sum
/// is the row product of the contexts. Moves the bytes of k and v in, those of their gradients out; each block reads its unit's
/// state and its gradient, 8 F F + 8 F bytes. NaN: as forward, and in all positions of the features it reached.
template <int threads, class S>
__global__ void __launch_bounds__(threads, 1)
    linear_attention_key_gradients_kernel(PositionAttention<S> a, int rows, float* states,
                                          const float* __restrict__ grad_contexts) {
  LACUNA_DYNAMIC_SHARED(float, space);
  const int f = a.features, stride = tile_stride(f), thread = static_cast<int>(threadIdx.x);
  float *grad_context = space, *k = grad_context + f * stride, *v = k + rows * stride, *peak = v + rows * stride,
        *inverse = peak + f, *sums = inverse + f;
  const UnitRows<S> at(a, blockIdx.x);
  const LinearAttentionUnit state(states, a.heads, f, blockIdx.x);
  stage(grad_contexts + static_cast<std::size_t>(blockIdx.x) * static_cast<std::size_t>(f * f), static_cast<std::size_t>(f), f, f,
        f, grad_context);
  for (int i = thread; i < f; i += threads) {
    peak[i] = state.peak[i];
    inverse[i] = state.inverse[i];
  }
  __syncthreads();
  const bool wide = f % 4 == 0 && aligned(state.context);
  for_quads((f + 7) / 8 * 8, [&](int d, int lane) {
    float sum = 0;
    if (d < f)
      for_lane_columns(lane, f, [&](int column) {
        const auto a_row = load_shared(grad_context + d * stride + column);
        with_chunk(static_cast<std::size_t>(d * f + column), column, f, wide, [&](auto chunk) {
          const auto b_row = load(static_cast<const float*>(state.context), chunk);
          for (int j = 0; j < 4; ++j) sum += a_row.v[j] * b_row.v[j];
        });
      });
    sum = quad_sum(sum);
    if (d < f && lane == 0) sums[d] = sum;
  });
  for_run_tiles(a, rows, [&](int first, int count) {
    stage(a.qkv + at.qkv(1, first), at.qkv_apart(), count, rows, f, k);
    stage(a.qkv + at.qkv(2, first), at.qkv_apart(), count, rows, f, v);
    __syncthreads();
    for (int i = thread; i < count * f; i += threads) {
      float& e = k[i / f * stride + i % f];
      e = expf(e - peak[i % f]) * inverse[i % f];
    }
    __syncthreads();
    unstage(a.grad_qkv + at.qkv(1, first), at.qkv_apart(), count, f, [&](int row, int column) {
      auto grad = four_dots(v + row * stride, grad_context + column * stride, stride, f - column, f);
      for (int j = 0; j < 4; ++j)
        if (column + j < f) grad.v[j] = k[row * stride + column + j] * (grad.v[j] - sums[column + j]);
      return grad;
    });
    unstage(a.grad_qkv + at.qkv(2, first), at.qkv_apart(), count, f,
            [&](int row, int column) { return products(k + row * stride, 1, grad_context + column, stride, f); });
    __syncthreads();  // the next tile may overwrite
  });
}

/// @brief Launches of one cut: blocks of (units, runs), with tiles of as many positions as fit beside `squares` contexts.
template <class S, class Kernel, class... Arguments>
void launch_linear_attention(Stream stream, Kernel kernel, const PositionAttention<S>& a, std::size_t tiles, std::size_t squares,
                             std::size_t others, const Arguments&... arguments) {
  const auto plan = LinearAttentionPlan::of(a);
  const auto stride = static_cast<std::size_t>(tile_stride(a.features));
  const auto floats = [&](int rows) {
    return (tiles * static_cast<std::size_t>(rows) + squares * plan.features) * stride + others;
  };
  const int rows = attention_rows("linear_attention", a.features, 64, floats);
  launch(stream, kernel, dim3(static_cast<unsigned>(plan.units), plan.runs), block_size, floats(rows) * sizeof(float), a, rows,
         arguments...);
}

/// @brief o = softmax over features (q) softmax over positions (k)^T v / sqrt(F), per image and head; fills `states`.
///
/// Moves in all the bytes of q, k, v and o once, beside partial sums and states. workspace: forward_workspace() floats. NaN:
/// stays within its image and head. Determinism: one order of sums for each size, no atomics. Throws: ShapeError if a head has
/// too many features for shared memory; 64 it may have.
template <class S>
void linear_attention_forward(Stream stream, const PositionAttention<S>& a, float* states, float* workspace) {
  const auto plan = LinearAttentionPlan::of(a);
  const std::size_t f = plan.features;
  launch_linear_attention(stream, &linear_attention_keys_kernel<block_size, S>, a, 2, 1, 3 * f + block_size, workspace);
  launch(stream, &linear_attention_merge_kernel<block_size>, static_cast<unsigned>(plan.units), block_size,
         (plan.runs + 1) * f * sizeof(float), workspace, plan.runs, a.heads, a.features, states);
  launch_linear_attention(stream, &linear_attention_queries_kernel<block_size, S>, a, 1, 1, 0, states);
}

/// @brief Overwrites the gradient of q, k, v, and o once more, for the gradient of what follows it.
///
/// Moves in all the bytes of q, k, v and the gradient of o in, those of o and the three gradients out, beside partial sums,
/// contexts and their gradients. states: of the forward pass. workspace: backward_workspace() floats. NaN, determinism, Throws:
/// as forward.
template <class S>
void linear_attention_backward(Stream stream, const PositionAttention<S>& a, float* states, float* workspace) {
  const auto plan = LinearAttentionPlan::of(a);
  const std::size_t size = plan.units * plan.features * plan.features;
  float* grad_contexts = workspace + plan.runs * size;
  launch_linear_attention(stream, &linear_attention_query_gradients_kernel<block_size, S>, a, 3, 2, 0, states, workspace);
  set_partial_sums(stream, workspace, 1, plan.runs, size, grad_contexts);
  launch_linear_attention(stream, &linear_attention_key_gradients_kernel<block_size, S>, a, 2, 1, 3 * plan.features, states,
                          static_cast<const float*>(grad_contexts));
}

}  // namespace lacuna::kernels
