#pragma once

#include <cstddef>
#include <cstdint>

#include "lacuna/core/error.hpp"
#include "lacuna/mask/policy.hpp"
#include "lacuna/train/input.hpp"
#include "port.cuh"
#include "reduce.cuh"
#include "vector.cuh"

namespace lacuna::kernels {

/// @brief One sample of a batch: the draw of its mask policy and its arrays (F, h, w, V) on a patch.
template <mask::MaskDraw Draw>
struct AssembleSample {
  Draw draw;
  int y = 0, x = 0;              ///< first row and column of the patch; columns wrap around the grid
  const float* values;           ///< anything where not observed
  const std::uint8_t* observed;  ///< M
  const int* groups;             ///< (F, V)
  const float* background;       ///< or null
  const float* climate;          ///< or null
  const float* place;            ///< (h, w, P), or null
  const float* season;           ///< (S), or null
  float alpha = 1, sigma = 0;
  std::uint64_t sample = 0;
};

/// @brief What the samples of a batch share, and the arrays that are made.
struct AssembleBatch {
  train::InputLayout layout;
  int height, width, grid_width;  ///< of the patch, and columns of the whole grid
  const float* scale;             ///< (V)
  PhiloxKey noise;
  float* input;              ///< (B, h, w, channels)
  float* target;             ///< (B, h, w, F V)
  std::uint8_t* query;       ///< (B, h, w, F V)
  unsigned* query_counts;    ///< (B, blocks) partial counts, for masked_loss_kernel
  unsigned* context_counts;  ///< (B, blocks)

  std::size_t cells() const { return static_cast<std::size_t>(height) * static_cast<std::size_t>(width); }
};

/// @brief Cells that a block stages in shared memory at a time, and blocks per sample.
struct AssemblePlan {
  unsigned tile, blocks;
  std::size_t shared_bytes;

  /// Throws: OptionError for an input that shows the query, which this kernel does not make; ShapeError for too many channels.
  static AssemblePlan of(const train::InputLayout& layout, std::size_t cells) {
    require<OptionError>(!layout.query, "assemble: this kernel makes no input that shows the query (ProbabilisticField)");
    constexpr std::size_t shared_memory = 40 * 1024;  // leaves room beside it in the 48 KB every launch may use
    const auto bytes_per_cell = static_cast<std::size_t>(layout.channels()) * sizeof(float) +
                                static_cast<std::size_t>(layout.fields()) * (sizeof(float) + 1);
    unsigned tile = 128;
    while (tile > 4 && tile * bytes_per_cell > shared_memory) tile /= 2;
    require<ShapeError>(tile * bytes_per_cell <= shared_memory, "assemble: ", layout.channels(),
                        " channels are too many for shared memory");
    const std::size_t blocks = (cells + tile - 1) / tile;
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

/// @brief Four fields of a cell: membership, noise, anomaly, and the channels and target made of them.
template <class Draw>
__device__ __forceinline__ void assemble_fields(const AssembleSample<Draw>& s, const AssembleBatch& b, std::size_t cell,
                                                int block, float* row, float* target, std::uint8_t* query, unsigned& contexts,
                                                unsigned& queries) {
  const int fields = b.layout.fields(), variables = b.layout.variables, column = static_cast<int>(cell) % b.width + s.x;
  const int y = s.y + static_cast<int>(cell) / b.width, x = column < b.grid_width ? column : column - b.grid_width;
  const std::size_t plane =
      static_cast<std::size_t>(b.height) * static_cast<std::size_t>(b.width) * static_cast<std::size_t>(variables);
  const auto grid_cell = static_cast<std::uint64_t>(y) * static_cast<std::uint64_t>(b.grid_width) + static_cast<std::uint64_t>(x);
  const auto noise = normals(philox(b.noise, s.sample, train::noise_position(grid_cell, fields, block)));
  LACUNA_UNROLL
  for (int k = 0; k < 4; ++k) {
    const int f = 4 * block + k;
    if (f >= fields) return;
    const int frame = f / variables, v = f - frame * variables;
    const std::size_t at =
        plane * static_cast<std::size_t>(frame) + cell * static_cast<std::size_t>(variables) + static_cast<std::size_t>(v);
    const mask::Cell member{frame, y, x, v, s.groups[f]};
    const bool observed = s.observed[at] != 0, seen = observed && s.draw.in_context(member),
               asked = observed && s.draw.in_query(member);
    const float background = b.layout.background ? s.background[at] : 0.0f;
    const float anomaly = seen || asked ? (s.values[at] - background) / b.scale[v] : 0.0f;
    float* next = row + f;
    *next = seen ? 1.0f : 0.0f;
    *(next += fields) = seen ? train::noised(anomaly, s.alpha, s.sigma, noise[static_cast<std::size_t>(k)]) : 0.0f;
    if (b.layout.background) *(next += fields) = background;
    if (b.layout.climate) *(next += fields) = s.climate[at];
    target[f] = asked ? anomaly : 0.0f;
    query[f] = asked ? 1 : 0;
    contexts += seen ? 1u : 0u;
    queries += asked ? 1u : 0u;
  }
}

/// @brief Draws context and query, noises, masks and concatenates a batch in one pass. Grid (blocks, B).
///
/// A block stages a tile of cells in shared memory, so that all arrays leave in order. A value is read where it is in context
/// or query and nowhere else. Per cell with N = F V fields and n of them in context or query: moves N + 4 n bytes in, 4 N more
/// for a background, for a climate each, 4 (P + S) of place and season; 4 channels + 5 N out; 8 bytes of counts per block. The
/// sample's record, groups and scale come from cache and are not counted.
template <int threads, class Draw>
__global__ void __launch_bounds__(threads)
    assemble_kernel(const AssembleSample<Draw>* __restrict__ samples, AssembleBatch b, unsigned tile) {
  LACUNA_DYNAMIC_SHARED(float, staged);
  const AssembleSample<Draw>& s = samples[blockIdx.y];
  const int fields = b.layout.fields(), channels = b.layout.channels();
  const auto row_size = static_cast<std::size_t>(channels), field_size = static_cast<std::size_t>(fields);
  const unsigned blocks = static_cast<unsigned>(fields + 3) / 4, rest = static_cast<unsigned>(b.layout.place + b.layout.season);
  const std::size_t cells = static_cast<std::size_t>(b.height) * static_cast<std::size_t>(b.width);
  float* target = staged + tile * row_size;
  auto* query = reinterpret_cast<std::uint8_t*>(target + tile * field_size);
  unsigned contexts = 0, queries = 0;
  for (std::size_t first = static_cast<std::size_t>(blockIdx.x) * tile; first < cells;
       first += static_cast<std::size_t>(gridDim.x) * tile) {
    const unsigned count = static_cast<unsigned>(cells - first < tile ? cells - first : tile);
    for (unsigned i = threadIdx.x; i < tile * blocks; i += threads) {
      const unsigned cell = i % tile;
      if (cell < count)
        assemble_fields(s, b, first + cell, static_cast<int>(i / tile), staged + cell * row_size, target + cell * field_size,
                        query + cell * field_size, contexts, queries);
    }
    for (unsigned i = threadIdx.x; i < count * rest; i += threads) {
      const unsigned cell = i / rest, p = i % rest, place = static_cast<unsigned>(b.layout.place);
      staged[cell * row_size + row_size - rest + p] = p < place ? s.place[(first + cell) * place + p] : s.season[p - place];
    }
    __syncthreads();
    const std::size_t at = static_cast<std::size_t>(blockIdx.y) * cells + first;
    copy_out(staged, b.input + at * row_size, count * row_size);
    copy_out(target, b.target + at * field_size, count * field_size);
    copy_out(query, b.query + at * field_size, count * field_size);
    __syncthreads();
  }
  contexts = block_sum(contexts);
  queries = block_sum(queries);
  if (threadIdx.x == 0) {
    const std::size_t block = static_cast<std::size_t>(blockIdx.y) * gridDim.x + blockIdx.x;
    b.query_counts[block] = queries;
    b.context_counts[block] = contexts;
  }
}

/// @brief Makes the network's input, target and query of a batch; the meaning of mask::partition, train::assemble_input and
/// train::assemble_target, bit for bit. `samples` (B) lie in device memory.
template <class Draw>
void assemble(Stream stream, const AssembleSample<Draw>* samples, int batch_size, const AssembleBatch& batch) {
  const auto plan = AssemblePlan::of(batch.layout, batch.cells());
  launch(stream, &assemble_kernel<block_size, Draw>, dim3(plan.blocks, static_cast<unsigned>(batch_size)), block_size,
         plan.shared_bytes, samples, batch, plan.tile);
}

}  // namespace lacuna::kernels
