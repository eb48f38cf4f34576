#pragma once

#include <cstddef>

#include "port.cuh"
#include "shared_tile.cuh"
#include "vector.cuh"

namespace lacuna::kernels {

/// @brief Sizes of the mode mixing of a spectral layer: spectra (blocks, 2, modes, channels), weight (modes, 2, in, out).
struct SpectralMixing {
  int blocks, modes, inputs, outputs;
};

/// @brief A complex matrix for each mode: element (row, column) lies at data + mode * apart + row * row_step + column *
/// column_step, its imaginary part `imaginary` further on. One of the steps is 1.
template <class T>
struct ModeMatrix {
  T* data;
  std::size_t apart, row_step, column_step, imaginary;
  float sign;  ///< of the imaginary part: -1 reads the conjugate

  /// The chunk's real or imaginary numbers may be read 16 bytes at a time.
  __device__ __forceinline__ bool wide() const {
    const std::size_t line = row_step == 1 ? column_step : row_step;
    return aligned(data) && apart % 4 == 0 && line % 4 == 0 && imaginary % 4 == 0;
  }
};

inline constexpr int mode_tile = 32;

/// @brief A tile of a mode's matrix into shared memory, (2, tile, stride), zero outside. first: row and column of its corner.
__device__ __forceinline__ void stage_modes(const ModeMatrix<const float>& m, int first_row, int first_column, int rows,
                                            int columns, float* tile) {
  const int stride = tile_stride(mode_tile);
  const bool along_rows = m.row_step == 1 && m.column_step != 1, wide = m.wide();
  for_tile(mode_tile, mode_tile, [&](int line, int begin) {
    const int first_line = along_rows ? first_column : first_row, first_begin = along_rows ? first_row : first_column;
    const int lines = along_rows ? columns : rows, length = along_rows ? rows : columns;
    const std::size_t line_step = along_rows ? m.column_step : m.row_step;
    Four<float> re{}, im{};
    if (first_line + line < lines && first_begin + begin < length) {
      const std::size_t at = blockIdx.x * m.apart + static_cast<std::size_t>(first_line + line) * line_step +
                             static_cast<std::size_t>(first_begin + begin);
      with_chunk(at, first_begin + begin, length, wide, [&](auto chunk) {
        re = load(m.data, chunk);
        chunk.begin += m.imaginary;
        im = load(m.data, chunk);
      });
    }
    for (int k = 0; k < 4; ++k) {
      const int at = along_rows ? (begin + k) * stride + line : line * stride + begin + k;
      tile[at] = re.v[k];
      tile[mode_tile * stride + at] = m.sign * im.v[k];
    }
  });
}

/// @brief c = a b, or c += a b, for the complex matrices a (rows, depth), b (depth, columns), c (rows, columns) of every mode.
/// Grid (modes, tiles of c); c's columns are contiguous.
///
/// Moves the bytes of a once for every 32 columns of c, those of b once for every 32 rows, those of c once (twice if added to).
template <int threads, bool added>
__global__ void __launch_bounds__(threads) mode_product_kernel(ModeMatrix<const float> a, ModeMatrix<const float> b,
                                                               ModeMatrix<float> c, int rows, int depth, int columns) {
  constexpr int stride = 36;
  LACUNA_SHARED(float4, left4, [2 * mode_tile * stride / 4]);
  LACUNA_SHARED(float4, right4, [2 * mode_tile * stride / 4]);
  float *const left = reinterpret_cast<float*>(left4), *const right = reinterpret_cast<float*>(right4);
  const int tiles = (columns + mode_tile - 1) / mode_tile, tile = static_cast<int>(blockIdx.y);
  const int first_row = tile / tiles * mode_tile, first_column = tile % tiles * mode_tile;
  const int row = static_cast<int>(threadIdx.x) / 8, column = static_cast<int>(threadIdx.x) % 8 * 4;
  Four<float> re{}, im{};
  for (int k = 0; k < depth; k += mode_tile) {
    stage_modes(a, first_row, k, rows, depth, left);
    stage_modes(b, k, first_column, depth, columns, right);
    __syncthreads();
    LACUNA_UNROLL_FOUR
    for (int j = 0; j < mode_tile; ++j) {
      const float a_re = left[row * stride + j], a_im = left[(mode_tile + row) * stride + j];
      const auto b_re = load_shared(right + j * stride + column), b_im = load_shared(right + (mode_tile + j) * stride + column);
      for (int i = 0; i < 4; ++i) {
        re.v[i] += a_re * b_re.v[i] - a_im * b_im.v[i];
        im.v[i] += a_re * b_im.v[i] + a_im * b_re.v[i];
      }
    }
    __syncthreads();  // the next tiles may overwrite
  }
  if (first_row + row >= rows || first_column + column >= columns) return;
  const std::size_t at = blockIdx.x * c.apart + static_cast<std::size_t>(first_row + row) * c.row_step +
                         static_cast<std::size_t>(first_column + column);
  with_chunk(at, first_column + column, columns, c.wide(), [&](auto chunk) {
    const auto put = [&](Four<float> v) {
      if constexpr (added) {
        const auto before = load(c.data, chunk);
        for (int i = 0; i < 4; ++i) v.v[i] += before.v[i];
      }
      store(c.data, chunk, v);
      chunk.begin += c.imaginary;
    };
    put(re);
    put(im);
  });
}

/// @brief The spectrum's or the weight's matrices, as they lie, turned, or conjugated.
template <class T>
ModeMatrix<T> spectrum_matrix(T* spectrum, const SpectralMixing& s, int channels, float sign = 1.0f) {
  const auto c = static_cast<std::size_t>(channels), plane = static_cast<std::size_t>(s.modes) * c;
  return {spectrum, c, 2 * plane, 1, plane, sign};
}
template <class T>
ModeMatrix<T> weight_matrix(T* weight, const SpectralMixing& s, float sign = 1.0f) {
  const auto out = static_cast<std::size_t>(s.outputs), size = static_cast<std::size_t>(s.inputs) * out;
  return {weight, 2 * size, out, 1, size, sign};
}
inline ModeMatrix<const float> turned(ModeMatrix<const float> m) {
  return {m.data, m.apart, m.column_step, m.row_step, m.imaginary, m.sign};
}

inline dim3 mode_grid(const SpectralMixing& s, int rows, int columns) {
  const int down = (rows + mode_tile - 1) / mode_tile, across = (columns + mode_tile - 1) / mode_tile;
  return {static_cast<unsigned>(s.modes), static_cast<unsigned>(down * across)};
}

/// @brief y = x W for every mode: x (blocks, 2, modes, in), y (blocks, 2, modes, out). NaN: spreads over a mode of its block.
inline void spectral_mixing_forward(Stream stream, const SpectralMixing& s, const float* x, const float* weight, float* y) {
  launch(stream, &mode_product_kernel<block_size, false>, mode_grid(s, s.blocks, s.outputs), block_size, 0,
         spectrum_matrix(x, s, s.inputs), weight_matrix(weight, s), spectrum_matrix(y, s, s.outputs), s.blocks, s.inputs,
         s.outputs);
}

/// @brief grad_x = grad_y conj(W)^T, overwritten.
inline void spectral_mixing_input_gradient(Stream stream, const SpectralMixing& s, const float* grad_y, const float* weight,
                                           float* grad_x) {
  launch(stream, &mode_product_kernel<block_size, false>, mode_grid(s, s.blocks, s.inputs), block_size, 0,
         spectrum_matrix(grad_y, s, s.outputs), turned(weight_matrix(weight, s, -1.0f)), spectrum_matrix(grad_x, s, s.inputs),
         s.blocks, s.outputs, s.inputs);
}

/// @brief grad_weight += conj(x)^T grad_y.
inline void spectral_mixing_weight_gradient(Stream stream, const SpectralMixing& s, const float* x, const float* grad_y,
                                            float* grad_weight) {
  launch(stream, &mode_product_kernel<block_size, true>, mode_grid(s, s.inputs, s.outputs), block_size, 0,
         turned(spectrum_matrix(x, s, s.inputs, -1.0f)), spectrum_matrix(grad_y, s, s.outputs), weight_matrix(grad_weight, s),
         s.inputs, s.blocks, s.outputs);
}

}  // namespace lacuna::kernels
