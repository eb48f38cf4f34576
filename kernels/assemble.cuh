#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "lacuna/core/error.hpp"
#include "lacuna/schedule/matching.hpp"
#include "lacuna/train/input.hpp"
#include "port.cuh"
#include "reduce.cuh"
#include "vector.cuh"

namespace lacuna::kernels {

/// @brief A batch's samples have one shape; the arrays that are made of them.
struct AssembleBatch {
  train::BatchShape shape;
  float* input;                      ///< (B, h, w, channels)
  float* target = nullptr;           ///< (B, h, w, F V); null, and so the next two, where nothing is learned
  std::uint8_t* query = nullptr;     ///< (B, h, w, F V)
  unsigned* query_counts = nullptr;  ///< (B, blocks) partial counts, for masked_loss_kernel
};

/// @brief Cells that a block stages in shared memory at a time, and blocks per sample.
struct AssemblePlan {
  unsigned tile, blocks;
  std::size_t shared_bytes;

  /// Throws: ShapeError for too many channels.
  static AssemblePlan of(const train::BatchShape& shape) {
    const auto& layout = shape.layout;
    constexpr std::size_t shared_memory = 40 * 1024;  // leaves room beside it in the 48 KB every launch may use
    const auto bytes_per_cell = static_cast<std::size_t>(layout.channels()) * sizeof(float) +
                                static_cast<std::size_t>(layout.fields()) * (sizeof(float) + 1);
    unsigned tile = 128;
    while (tile > 4 && tile * bytes_per_cell > shared_memory) tile /= 2;
    require<ShapeError>(tile * bytes_per_cell <= shared_memory, "assemble: ", layout.channels(),
                        " channels are too many for shared memory");
    const std::size_t cells = static_cast<std::size_t>(shape.height) * static_cast<std::size_t>(shape.width),
                      blocks = (cells + tile - 1) / tile;
    return {tile, static_cast<unsigned>(blocks < 64 ? blocks : 64), tile * bytes_per_cell};
  }
};

/// @brief Copies `count` elements of the block's shared memory out, 16 bytes (bytes: 4) at a time where aligned.
template <class T>
__device__ __forceinline__ void copy_out(const T* staged, T* to, std::size_t count) {
  struct alignas(4 * sizeof(T)) Packed {
    T v[4];
  };
  const bool wide = aligned(to) && aligned(staged);
  for (std::size_t i = threadIdx.x * chunk_size; i < count; i += block_size * chunk_size) {
    if (wide && i + chunk_size <= count)
      *reinterpret_cast<Packed*>(to + i) = *reinterpret_cast<const Packed*>(staged + i);
    else
      for (std::size_t k = i; k < count && k < i + chunk_size; ++k) to[k] = staged[k];
  }
}

/// @brief A cell's place in the staged tile.
struct StagedCell {
  float *row, *target;
  std::uint8_t* query;
};

/// @brief Four fields of a cell: their anomalies where one is needed, and bit k for the k-th of them.
struct CellFields {
  int first, count;
  float anomaly[4];
  unsigned seen, asked;
};

/// @brief Reads four fields of a cell, and makes what of input, target and query has no noise.
__device__ __forceinline__ CellFields assemble_fields(const train::SampleView& s, const AssembleBatch& b, int cell, int first,
                                                      const StagedCell& to) {
  const train::InputLayout& layout = b.shape.layout;
  const int fields = layout.fields();
  CellFields own{.first = first, .count = fields - first < 4 ? fields - first : 4, .anomaly = {}, .seen = 0, .asked = 0};
  LACUNA_UNROLL
  for (int k = 0; k < 4; ++k) {
    if (k >= own.count) break;
    const int f = first + k;
    const std::size_t at = s.index(layout, cell, f);
    const bool seen = s.context[at] != 0, asked = s.query != nullptr && s.query[at] != 0;
    const float background = layout.background ? s.background[at] : 0.0f;
    own.anomaly[k] = seen || asked ? s.anomaly(at, f % layout.variables, background) : 0.0f;
    own.seen |= seen ? 1u << k : 0u;
    own.asked |= asked ? 1u << k : 0u;
    float* next = to.row + layout.shown() + fields + f;
    if (layout.background) *(next += fields) = background;
    if (layout.climate) *(next += fields) = s.climate[at];
    if (b.target == nullptr) continue;
    to.target[f] = asked ? own.anomaly[k] : 0.0f;
    to.query[f] = asked ? 1 : 0;
  }
  return own;
}

/// @brief Shows the network some of four fields of a cell, with noise: the channels from `row` on. `target`: where what is asked
/// of these is the noise that they are shown with; else null.
template <class Matching>
__device__ __forceinline__ void show_fields(const train::SampleView& s, const Matching& matching, const CellFields& own,
                                            unsigned shown, PhiloxKey key, std::uint64_t position, int fields, float* row,
                                            float* target) {
  std::array<float, 4> noise{};
  if (s.sigma != 0.0f || Matching::needs_noisy) noise = normals(philox(key, s.sample, position));
  LACUNA_UNROLL
  for (int k = 0; k < 4; ++k) {
    if (k >= own.count) break;
    const float eps = noise[static_cast<std::size_t>(k)];
    const bool visible = (shown >> k & 1u) != 0;
    row[own.first + k] = visible ? 1.0f : 0.0f;
    row[fields + own.first + k] = visible ? s.noisy(own.anomaly[k], eps) : 0.0f;
    if constexpr (Matching::needs_noisy)
      if (target != nullptr && (shown & own.asked) >> k & 1u)
        target[own.first + k] = matching.target(s.alpha, s.sigma, own.anomaly[k], eps);
  }
}

/// @brief Noises, masks and concatenates a batch in one pass. Grid (blocks, B).
///
/// A block stages a tile of cells in shared memory, so that all arrays leave in order. A value is read where it is in context
/// or query and nowhere else. Per cell with N = F V fields and n of them in context or query: moves N bytes of context, N of
/// query (if there is one) and 4 n in, 4 N more for a background, for a climate each, 4 (P + S) of place and
/// season; 4 channels out, and with a target 5 N and 4 bytes of counts per block. The sample's record and scale come from cache
/// and are not counted.
template <int threads, class Matching>
__global__ void __launch_bounds__(threads)
    assemble_kernel(const train::SampleView* __restrict__ samples, AssembleBatch b, Matching matching, unsigned tile) {
  LACUNA_DYNAMIC_SHARED(float, staged);
  const train::SampleView& s = samples[blockIdx.y];
  const train::InputLayout& layout = b.shape.layout;
  const int fields = layout.fields(), channels = layout.channels();
  const auto row_size = static_cast<std::size_t>(channels), field_size = static_cast<std::size_t>(fields);
  const unsigned blocks = static_cast<unsigned>(fields + 3) / 4, rest = static_cast<unsigned>(layout.place + layout.season);
  const std::size_t cells = static_cast<std::size_t>(b.shape.height) * static_cast<std::size_t>(b.shape.width);
  float* target = staged + tile * row_size;
  auto* query = reinterpret_cast<std::uint8_t*>(target + tile * field_size);
  unsigned queries = 0;
  for (std::size_t first = static_cast<std::size_t>(blockIdx.x) * tile; first < cells;
       first += static_cast<std::size_t>(gridDim.x) * tile) {
    const unsigned count = static_cast<unsigned>(cells - first < tile ? cells - first : tile);
    for (unsigned i = threadIdx.x; i < tile * blocks; i += threads) {
      const unsigned cell = i % tile;
      if (cell >= count) continue;
      const StagedCell to{staged + cell * row_size, target + cell * field_size, query + cell * field_size};
      const int in_patch = static_cast<int>(first + cell), block = static_cast<int>(i / tile);
      const CellFields own = assemble_fields(s, b, in_patch, 4 * block, to);
      const auto position = train::noise_position(s.grid_cell(in_patch), fields, block);
      float* const learned = b.target != nullptr ? to.target : nullptr;
      show_fields(s, matching, own, own.seen, s.noise, position, fields, to.row, layout.query ? nullptr : learned);
      if (layout.query) show_fields(s, matching, own, own.asked, s.query_noise, position, fields, to.row + 2 * fields, learned);
      queries += static_cast<unsigned>(__popc(own.asked));
    }
    for (unsigned i = threadIdx.x; i < count * rest; i += threads) {
      const unsigned cell = i / rest, p = i % rest, place = static_cast<unsigned>(layout.place);
      staged[cell * row_size + row_size - rest + p] = p < place ? s.place[(first + cell) * place + p] : s.season[p - place];
    }
    __syncthreads();
    const std::size_t at = static_cast<std::size_t>(blockIdx.y) * cells + first;
    copy_out(staged, b.input + at * row_size, count * row_size);
    if (b.target != nullptr) {
      copy_out(target, b.target + at * field_size, count * field_size);
      copy_out(query, b.query + at * field_size, count * field_size);
    }
    __syncthreads();
  }
  if (b.target == nullptr) return;
  queries = block_sum(queries);
  if (threadIdx.x == 0) b.query_counts[static_cast<std::size_t>(blockIdx.y) * gridDim.x + blockIdx.x] = queries;
}

/// @brief Makes the network's input of a batch, and its target and query if asked for; the meaning of train::assemble_input and
/// train::assemble_target, bit for bit. `samples` (B) lie in device memory, and so does what they point to.
template <class Matching = schedule::DataMatching>
void assemble(Stream stream, const train::SampleView* samples, const AssembleBatch& batch, const Matching& matching = {}) {
  const auto plan = AssemblePlan::of(batch.shape);
  launch(stream, &assemble_kernel<block_size, Matching>, dim3(plan.blocks, static_cast<unsigned>(batch.shape.batch)), block_size,
         plan.shared_bytes, samples, batch, matching, plan.tile);
}

}  // namespace lacuna::kernels
