#pragma once

#include <Eigen/Core>
#include <algorithm>

#include "lacuna/core/device.hpp"
#include "lacuna/ops/convolution_geometry.hpp"
#include "lacuna/ops/matrix_product.hpp"

namespace lacuna::ops {

/// @brief The plain convolution: columns of neighbours (im2col) times weights, for any scalar type.
///
/// The reference that the library path is tested against, and the path where oneDNN is absent or the scalar is double.
/// Memory: columns of 256 pixels for each of at most eight threads.
/// Determinism: images are dealt to a fixed number of slots whose weight gradients are summed in order, so results do not
/// depend on the number of threads.
template <class T>
class EigenConvolution {
 public:
  /// A dry convolution takes and gives back its workspace without computing.
  EigenConvolution(cpu::Device& device, const ConvolutionGeometry& geometry, bool dry)
      : device_(device), g_(geometry), dry_(dry) {}

  void forward(const T* x, const T* weight, const T* bias, T* y) {
    for_images([&](int image, int, T* columns) {
      const auto source = input(x, image);
      auto target = output(y, image);
      if (!g_.accumulate) target.setZero();
      target.rowwise() += Eigen::Map<const Row>(bias, g_.output.channels);
      for_strips([&](Strip strip) {
        auto c = column_matrix(columns, strip);
        if (g_.transposed) {
          set_product(rows(source, strip), weights(weight).transpose(), c);
          scatter(columns, strip, target.data());
        } else {
          gather(source.data(), strip, columns);
          add_product(c, weights(weight).transpose(), rows(target, strip));
        }
      });
    });
  }

  void backward_data(const T* grad_y, const T* weight, T* grad_x) {
    for_images([&](int image, int, T* columns) {
      const auto source = output(grad_y, image);
      auto target = input(grad_x, image);
      if (!g_.transposed) target.setZero();
      for_strips([&](Strip strip) {
        auto c = column_matrix(columns, strip);
        if (g_.transposed) {
          gather(source.data(), strip, columns);
          set_product(c, weights(weight), rows(target, strip));
        } else {
          set_product(rows(source, strip), weights(weight), c);
          scatter(columns, strip, target.data());
        }
      });
    });
  }

  void backward_weights(const T* x, const T* grad_y, T* grad_weight, T* grad_bias) {
    const auto weight_size = static_cast<std::size_t>(column_width()) * static_cast<std::size_t>(inner());
    const auto outputs = static_cast<std::size_t>(g_.output.channels);
    const std::size_t partial = weight_size + outputs;
    T* partials = device_.arena().take_array<T>(partial * static_cast<std::size_t>(slots()));
    if (!dry_) std::fill_n(partials, partial * static_cast<std::size_t>(slots()), T(0));
    for_images([&](int image, int slot, T* columns) {
      const auto gy = output(grad_y, image);
      const auto source = input(x, image);
      T* own = partials + partial * static_cast<std::size_t>(slot);
      auto gw = weights(own);
      for_strips([&](Strip strip) {
        gather(g_.transposed ? gy.data() : source.data(), strip, columns);
        const auto c = column_matrix(columns, strip);
        if (g_.transposed)
          add_product(c.transpose(), rows(source, strip), gw);
        else
          add_product(rows(gy, strip).transpose(), c, gw);
      });
      Eigen::Map<Row>(own + weight_size, g_.output.channels) += gy.colwise().sum();
    });
    for (int slot = 0; slot < slots() && !dry_; ++slot) {
      const T* own = partials + partial * static_cast<std::size_t>(slot);
      for (std::size_t i = 0; i < weight_size; ++i) grad_weight[i] += own[i];
      for (std::size_t i = 0; i < outputs; ++i) grad_bias[i] += own[weight_size + i];
    }
    device_.arena().give_array(partials, partial * static_cast<std::size_t>(slots()));
  }

 private:
  using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  using Row = Eigen::Matrix<T, 1, Eigen::Dynamic>;
  template <class P>
  using MapOf = Eigen::Map<std::conditional_t<std::is_const_v<P>, const Matrix, Matrix>>;

  // A transposed convolution is the adjoint of the convolution that maps its output to its input: columns are taken from (or
  // added to) the larger, "outer" image, and there is one row of columns for each pixel of the smaller, "inner" one.
  const Shape& outer_shape() const { return g_.transposed ? g_.output : g_.input; }
  const Shape& inner_shape() const { return g_.transposed ? g_.input : g_.output; }
  int taps() const { return g_.kernel * g_.kernel; }
  int column_width() const { return taps() * outer_shape().channels; }
  int inner() const { return inner_shape().channels; }
  int slots() const { return std::min(g_.input.images(), 8); }

  template <class P>
  MapOf<P> input(P* x, int image) const {
    return {x + static_cast<std::ptrdiff_t>(image) * g_.input.pixels() * g_.input.channels, g_.input.pixels(), g_.input.channels};
  }
  template <class P>
  MapOf<P> output(P* y, int image) const {
    return {y + static_cast<std::ptrdiff_t>(image) * g_.output.pixels() * g_.output.channels, g_.output.pixels(),
            g_.output.channels};
  }

  // Columns are made for a strip of consecutive inner pixels at a time. Strips end where tiles of add_product() do, so that the
  // sums are those of a whole image's columns.
  static constexpr int strip_pixels = 256;
  static_assert(strip_pixels % PackedTile<T>::side == 0 && strip_pixels % PackedTile<T>::depth == 0);
  struct Strip {
    int first, size;
  };
  template <class Visit>
  void for_strips(const Visit& visit) const {
    for (int first = 0; first < inner_shape().pixels(); first += strip_pixels)
      visit(Strip{first, std::min(strip_pixels, inner_shape().pixels() - first)});
  }
  template <class M>
  static auto rows(M& image, Strip strip) {
    return image.middleRows(strip.first, strip.size);
  }
  MapOf<T> column_matrix(T* columns, Strip strip) const { return {columns, strip.size, column_width()}; }
  // (out, kH, kW, in): (out) x (taps in) for a convolution, (out taps) x (in) for a transposed one.
  template <class P>
  MapOf<P> weights(P* w) const {
    if (g_.transposed) return {w, column_width(), g_.input.channels};
    return {w, g_.output.channels, column_width()};
  }
  int tap_stride() const { return g_.transposed ? 1 : outer_shape().channels; }
  int channel_stride() const { return g_.transposed ? taps() : 1; }

  template <class Visit>
  void for_taps(Strip strip, const Visit& visit) const {
    const Shape &outer = outer_shape(), &in = inner_shape();
    for (int i = 0; i < strip.size; ++i) {
      const int y = (strip.first + i) / in.width, x = (strip.first + i) % in.width;
      for (int ky = 0; ky < g_.kernel; ++ky)
        for (int kx = 0; kx < g_.kernel; ++kx) {
          const int oy = y * g_.stride - g_.padding + ky, ox = x * g_.stride - g_.padding + kx;
          const bool inside = oy >= 0 && oy < outer.height && ox >= 0 && ox < outer.width;
          const std::ptrdiff_t column = static_cast<std::ptrdiff_t>(i) * column_width() + (ky * g_.kernel + kx) * tap_stride();
          visit(column, inside ? static_cast<std::ptrdiff_t>(oy * outer.width + ox) * outer.channels : -1);
        }
    }
  }
  void gather(const T* image, Strip strip, T* columns) const {
    for_taps(strip, [&](std::ptrdiff_t column, std::ptrdiff_t pixel) {
      for (int c = 0; c < outer_shape().channels; ++c)
        columns[column + c * channel_stride()] = pixel < 0 ? T(0) : image[pixel + c];
    });
  }
  void scatter(const T* columns, Strip strip, T* image) const {
    for_taps(strip, [&](std::ptrdiff_t column, std::ptrdiff_t pixel) {
      if (pixel < 0) return;
      for (int c = 0; c < outer_shape().channels; ++c) image[pixel + c] += columns[column + c * channel_stride()];
    });
  }

  /// Calls work(image, slot, columns) for every image; slots that one thread serves share their columns.
  template <class Work>
  void for_images(const Work& work) {
    const int pixels = std::min(strip_pixels, inner_shape().pixels()), threads = std::min(device_.threads(), slots());
    const std::size_t size = static_cast<std::size_t>(pixels) * static_cast<std::size_t>(column_width());
    const std::size_t total = size * static_cast<std::size_t>(threads);
    T* columns = device_.arena().take_array<T>(total);
    const LibraryThreads serial(1);  // Eigen would split products by threads of its own, and sum in another order
    parallel_for(threads, dry_ ? 0 : threads, [&](int thread) {
      for (int slot = thread; slot < slots(); slot += threads)
        for (int image = slot; image < g_.input.images(); image += slots())
          work(image, slot, columns + size * static_cast<std::size_t>(thread));
    });
    device_.arena().give_array(columns, total);
  }

  cpu::Device& device_;
  ConvolutionGeometry g_;
  bool dry_;
};

}  // namespace lacuna::ops
