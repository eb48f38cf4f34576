#pragma once

#include <cstddef>
#include <cstdint>

#include "lacuna/core/error.hpp"
#include "lacuna/core/shape.hpp"
#include "lacuna/ops/canvas_functions.hpp"
#include "port.cuh"
#include "vector.cuh"

namespace lacuna::kernels {

/// @brief What canvas() shows: images (images, height, width, C) in a window each, (images, window.height, window.width, C).
struct Canvas {
  ops::Window window;
  ops::Borders borders;
  int height, width;  ///< of an image
  unsigned channels;

  /// Throws: ShapeError for 2^32 elements or more on either side, since positions are 32 bits.
  static Canvas of(const Shape& image, const ops::Window& window, const ops::Borders& borders) {
    Shape shown = image;
    shown.height = window.height;
    shown.width = window.width;
    for (const Shape& s : {image, shown})
      require<ShapeError>(s.size() <= 0xffffffffu, "canvas: shape ", s, " has ", s.size(), " elements, expected fewer than 2^32");
    return {window, borders, image.height, image.width, static_cast<unsigned>(image.channels)};
  }
};

/// @brief Where element i of images of height x width cells lies.
struct CanvasPosition {
  unsigned image, channel;
  int row, column;
};
__device__ __forceinline__ CanvasPosition canvas_position(std::size_t i, int height, int width, unsigned channels) {
  const auto element = static_cast<std::uint32_t>(i);
  const std::uint32_t cell = element / channels, row = cell / static_cast<std::uint32_t>(width),
                      image = row / static_cast<std::uint32_t>(height);
  return {image, element - cell * channels, static_cast<int>(row - image * static_cast<std::uint32_t>(height)),
          static_cast<int>(cell - row * static_cast<std::uint32_t>(width))};
}

/// @brief The inverse of canvas_position().
__device__ __forceinline__ std::size_t canvas_element(const CanvasPosition& p, int height, int width, unsigned channels) {
  const std::size_t row = static_cast<std::size_t>(p.image) * static_cast<std::size_t>(height) + static_cast<std::size_t>(p.row);
  return (row * static_cast<std::size_t>(width) + static_cast<std::size_t>(p.column)) * channels + p.channel;
}

/// @brief Whether element i of the window shows one of the image, and which.
struct Shown {
  bool any;
  std::size_t at;
};
__device__ __forceinline__ Shown shown_at(const Canvas& c, std::size_t i) {
  auto p = canvas_position(i, c.window.height, c.window.width, c.channels);
  p.row = ops::seen_cell(c.window.top + p.row, c.height, c.borders.rows);
  p.column = ops::seen_cell(c.window.left + p.column, c.width, c.borders.columns);
  return {p.row >= 0 && p.column >= 0, canvas_element(p, c.height, c.width, c.channels)};
}

/// @brief y = what every image shows in the window; n elements of y.
///
/// NaN: copied. Moves the bytes of the elements that are shown in, each as often as it is shown, and those of y out.
template <int threads, class S>
__global__ void __launch_bounds__(threads)
    canvas_kernel(const S* __restrict__ x, std::size_t n, Canvas canvas, S* __restrict__ y) {
  constexpr unsigned size = chunk_of<S>;
  const bool wide = canvas.channels % size == 0 && aligned<size>(x) && aligned<size>(y);
  for_chunks<size>(n, wide, [&](auto chunk) {
    if constexpr (decltype(chunk)::whole) {
      const auto shown = shown_at(canvas, chunk.begin);
      store_bits(y + chunk.begin, shown.any ? load_bits(x + shown.at) : make_uint4(0, 0, 0, 0));
    } else {
      for (std::size_t i = chunk.begin; i < chunk.begin + static_cast<std::size_t>(chunk.count); ++i) {
        const auto shown = shown_at(canvas, i);
        y[i] = shown.any ? x[shown.at] : S(0.0f);
      }
    }
  });
}

/// @brief Positions of the window along an axis that show a cell: begin, begin + step, ... below end.
struct ShownPositions {
  int begin, end, step;
};

/// @brief The inverse of ops::seen_cell(first + position, cells, border) over positions [0, count).
LACUNA_HOST_DEVICE inline ShownPositions positions_of(int cell, int cells, int first, int count, ops::Border border) {
  const int inside = cell - first;
  ShownPositions p{inside, inside + 1, 1};
  if (border == ops::Border::periodic) p = {(inside % cells + cells) % cells, count, cells};
  if (border == ops::Border::replicated && cell == 0) p.begin = 0;
  if (border == ops::Border::replicated && cell == cells - 1) p.end = count;
  if (p.begin < 0) p.begin = 0;
  if (p.end > count) p.end = count;
  return p;
}

/// @brief Calls visit(element of the window) for each that shows element i of the images: by rows, then columns.
template <class Visit>
__device__ __forceinline__ void for_shown(const Canvas& c, std::size_t i, const Visit& visit) {
  auto p = canvas_position(i, c.height, c.width, c.channels);
  const auto rows = positions_of(p.row, c.height, c.window.top, c.window.height, c.borders.rows),
             columns = positions_of(p.column, c.width, c.window.left, c.window.width, c.borders.columns);
  for (p.row = rows.begin; p.row < rows.end; p.row += rows.step)
    for (p.column = columns.begin; p.column < columns.end; p.column += columns.step)
      visit(canvas_element(p, c.window.height, c.window.width, c.channels));
}

/// @brief grad_x = the sum of grad_y over the positions of the window that show the element; n elements of x.
///
/// An element's sum runs by the window's rows, then columns, in float: bit for bit ops::canvas of float, rounded once in
/// bfloat16. An element that is not shown is 0. NaN: shows in its element. Moves the bytes of grad_y that show something in,
/// each once, and those of grad_x out. Left to itself ptxas spills rather than take more than 32 registers.
template <int threads, class S>
__global__ void __launch_bounds__(threads, 4)
    canvas_gradient_kernel(const S* __restrict__ grad_y, std::size_t n, Canvas canvas, S* __restrict__ grad_x) {
  constexpr unsigned size = chunk_of<S>;
  const bool wide = canvas.channels % size == 0 && aligned<size>(grad_y) && aligned<size>(grad_x);
  for_chunks<size>(n, wide, [&](auto chunk) {
    if constexpr (decltype(chunk)::whole) {
      Values<float, size> sum{};
      for_shown(canvas, chunk.begin, [&](std::size_t at) {
        const auto g = load(grad_y, WholeChunkOf<size>{at});
        for (unsigned k = 0; k < size; ++k) sum.v[k] += g.v[k];
      });
      store(grad_x, chunk, sum);
    } else {
      for (std::size_t i = chunk.begin; i < chunk.begin + static_cast<std::size_t>(chunk.count); ++i) {
        float sum = 0;
        for_shown(canvas, i, [&](std::size_t at) { sum += static_cast<float>(grad_y[at]); });
        grad_x[i] = S(sum);
      }
    }
  });
}

/// @brief Shows every image (B T, H, W, C) in a window; the meaning of ops::canvas. S: float or Bfloat16.
///
/// Throws: ShapeError for 2^32 elements or more.
template <class S>
void canvas(Stream stream, const S* x, const Shape& image, const ops::Window& window, const ops::Borders& borders, S* y) {
  const auto canvas = Canvas::of(image, window, borders);
  const std::size_t n = static_cast<std::size_t>(image.images()) * static_cast<std::size_t>(window.height) *
                        static_cast<std::size_t>(window.width) * canvas.channels;
  launch(stream, &canvas_kernel<block_size, S>, blocks_for<chunk_of<S>>(n), block_size, 0, x, n, canvas, y);
}
/// @brief Its adjoint; grad_x is overwritten. Determinism: one order of sums, no atomics. Throws: as canvas().
template <class S>
void canvas_gradient(Stream stream, const S* grad_y, const Shape& image, const ops::Window& window, const ops::Borders& borders,
                     S* grad_x) {
  const auto canvas = Canvas::of(image, window, borders);
  const std::size_t n = image.size();
  launch(stream, &canvas_gradient_kernel<block_size, S>, blocks_for<chunk_of<S>>(n), block_size, 0, grad_y, n, canvas, grad_x);
}

}  // namespace lacuna::kernels
