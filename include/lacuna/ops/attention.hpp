#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "lacuna/autograd/graph.hpp"
#include "lacuna/ops/tile_product.hpp"
#include "lacuna/ops/wide_copies.hpp"

namespace lacuna::ops {

/// @brief Parameters of an attention layer: qkv (3 heads features, channels), rows of q, then k, then v, each head by head;
/// out (channels, heads features); bias (channels), or of size 0 where there is none.
struct AttentionParameters {
  Parameter qkv, out, bias;
  int channels = 0, heads = 1, features = 0;

  int width() const { return heads * features; }
};

/// @brief Operands of an attention that adds to a residual what it makes of x.
template <class S>
struct AttentionOperands {
  AttentionParameters layer;
  Variable<S> x, residual;
};

/// @brief Throws ShapeError, naming the op, unless x and the residual fit the layer.
template <class S>
void require_attention(const char* op, const AttentionParameters& layer, const Variable<S>& x, const Variable<S>& residual) {
  require<ShapeError>(x.shape.channels == layer.channels, op, ": x has shape ", x.shape, ", expected ", layer.channels,
                      " channels");
  require_shape(op, "residual", residual.shape, x.shape);
  const auto size = static_cast<std::size_t>(layer.channels) * static_cast<std::size_t>(layer.width());
  require<ShapeError>(layer.qkv.size == 3 * size && layer.out.size == size, op, ": weights qkv and out have ", layer.qkv.size,
                      " and ", layer.out.size, " elements, expected ", 3 * size, " and ", size, " for ", layer.channels,
                      " channels and ", layer.heads, " heads of ", layer.features, " features");
}

/// @brief Work is dealt to a fixed number of slots, each with gradient sums of its own: results do not depend on the threads.
inline constexpr int attention_slots = 16;

/// @brief Calls work(slot, worker) for every slot; a worker (0 .. threads - 1) takes one slot at a time.
template <class Work>
void for_attention_slots(int threads, const Work& work) {
  parallel_for(threads, threads, [&](int worker) {
    for (int slot = worker; slot < attention_slots; slot += threads) work(slot, worker);
  });
}

/// @brief Gradient sums of one slot: qkv (3W, C), out transposed (W, C), bias (C).
template <class T>
struct AttentionSums {
  T *qkv, *out, *bias;

  static std::size_t size(const AttentionParameters& layer) {
    return static_cast<std::size_t>(layer.channels) * (4 * static_cast<std::size_t>(layer.width()) + 1);
  }
  AttentionSums(T* all, const AttentionParameters& layer, int slot)
      : qkv(all + size(layer) * static_cast<std::size_t>(slot)),
        out(qkv + static_cast<std::ptrdiff_t>(3) * layer.width() * layer.channels),
        bias(out + static_cast<std::ptrdiff_t>(layer.width()) * layer.channels) {}
};

/// @brief Adds the slots' sums, in order, to the parameters' gradients.
template <class T>
void add_attention_sums(T* all, const AttentionParameters& layer, Parameters<T>& p) {
  const int c = layer.channels, w = layer.width();
  for (int slot = 0; slot < attention_slots; ++slot) {
    const AttentionSums<T> sums(all, layer, slot);
    T *qkv = p.gradient(layer.qkv), *out = p.gradient(layer.out);
    for (int i = 0; i < 3 * w * c; ++i) qkv[i] += sums.qkv[i];
    for (int i = 0; i < w; ++i)
      for (int j = 0; j < c; ++j) out[j * w + i] += sums.out[i * c + j];
    if (layer.bias.size == 0) continue;
    for (int j = 0; j < c; ++j) p.gradient(layer.bias)[j] += sums.bias[j];
  }
}

/// @brief Calls work(image, index, slot, out transposed (W, C), copies) for every frame; `image` is an object of type Image with
/// workspace of its own and the packed weights, `copies` has room for three images. Takes and gives the same memory in a dry
/// graph.
template <class Image, class S, class T, class Work>
void for_attention_images(Graph<T>& graph, const AttentionParameters& layer, const Shape& shape, const Work& work) {
  using Copies = WideCopies<T, S>;
  const int threads = graph.device().threads(), c = layer.channels, w = layer.width();
  const std::size_t kernel = Image::workspace(layer, shape.pixels()),
                    own = kernel + Copies::size(3 * shape.size() / static_cast<std::size_t>(shape.images())),
                    space = own * static_cast<std::size_t>(threads);
  T *workspace = graph.take(space), *packed = graph.take(layer.qkv.size), *out = graph.take(layer.out.size);
  if (!graph.dry()) {
    const T* qkv = graph.parameters().value(layer.qkv);
    transpose_tile<T>(qkv, c, packed, 3 * w, 3 * w, c);
    transpose_tile<T>(graph.parameters().value(layer.out), w, out, c, c, w);
    for_attention_slots(threads, [&](int slot, int worker) {
      T* mine = workspace + own * static_cast<std::size_t>(worker);
      Image image(layer, shape.pixels(), qkv, packed, mine);
      const auto [begin, end] = share(static_cast<std::size_t>(shape.images()), attention_slots, slot);
      for (std::size_t i = begin; i < end; ++i) work(image, i, slot, out, Copies(mine + kernel));
    });
  }
  graph.give(out, layer.out.size);
  graph.give(packed, layer.qkv.size);
  graph.give(workspace, space);
}

/// @brief y = residual + bias, row by row; the output projection is then added to it.
template <class S, class T>
void start_attention_rows(const S* residual, const T* bias, T* y, std::size_t rows, int channels) {
  if constexpr (std::is_same_v<S, T>)
    std::copy_n(residual, rows * static_cast<std::size_t>(channels), y);
  else
    convert(residual, y, rows * static_cast<std::size_t>(channels));
  if (bias == nullptr) return;
  for (std::size_t i = 0; i < rows; ++i)
    for (int j = 0; j < channels; ++j) y[i * static_cast<std::size_t>(channels) + static_cast<std::size_t>(j)] += bias[j];
}

/// @brief y = residual + bias + run(image, index, x, out transposed, y of an image): an attention within images. y is added to.
template <class Image, class T, class S, class Run>
void attend_images(Graph<T>& graph, const AttentionOperands<S>& o, S* y, const Run& run) {
  const AttentionParameters& layer = o.layer;
  const Shape& shape = o.x.shape;
  const T* bias = layer.bias.size > 0 ? graph.parameters().value(layer.bias) : nullptr;
  const auto image_size = static_cast<std::size_t>(shape.pixels()) * static_cast<std::size_t>(layer.channels);
  for_attention_images<Image, S>(graph, layer, shape, [&](auto& image, std::size_t i, int, const T* out, auto copies) {
    const std::size_t at = i * image_size;
    const T* from = copies.read(o.x.data + at, image_size);
    T* to = copies.place(y + at, image_size);
    start_attention_rows(o.residual.data + at, bias, to, static_cast<std::size_t>(shape.pixels()), layer.channels);
    run(image, i, from, out, to);
    copies.write(to, y + at, image_size);
  });
}
/// @brief Its backward pass: run(image, index, x, out, grad_y, grad_x of an image, sums), and the slots' sums to the parameters.
template <class Image, class T, class S, class Run>
void attend_images_backward(Graph<T>& graph, const AttentionOperands<S>& o, const S* grad_y, S* grad_x, const Run& run) {
  const AttentionParameters& layer = o.layer;
  const auto image_size = static_cast<std::size_t>(o.x.shape.pixels()) * static_cast<std::size_t>(layer.channels);
  const std::size_t sums_size = AttentionSums<T>::size(layer) * attention_slots;
  T* all = graph.take(sums_size);
  if (!graph.dry()) std::fill_n(all, sums_size, T(0));
  const T* out = graph.parameters().value(layer.out);
  for_attention_images<Image, S>(graph, layer, o.x.shape, [&](auto& image, std::size_t i, int slot, const T*, auto copies) {
    const std::size_t at = i * image_size;
    const T *from = copies.read(o.x.data + at, image_size), *gradient = copies.read(grad_y + at, image_size);
    T* to = copies.place(grad_x + at, image_size);
    run(image, i, from, out, gradient, to, AttentionSums<T>(all, layer, slot));
    copies.write(to, grad_x + at, image_size);
  });
  if (!graph.dry()) add_attention_sums(all, layer, graph.parameters());
  graph.give(all, sums_size);
}

/// @brief Ends an attention's backward pass: the residual's gradient is y's own.
template <class T, class D, class S>
void hand_over(Graph<T, D>& graph, const Variable<S>& x, S* grad_x, const Variable<S>& residual, const Variable<S>& y) {
  graph.contribute(x, grad_x);
  graph.contribute(residual, y.node->gradient);
  y.node->gradient = nullptr;
  graph.finish(y);
}

/// @brief sums (columns) += the rows of x.
template <class T>
void add_column_sums(const T* x, T* sums, int rows, int columns) {
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < columns; ++j) sums[j] += x[static_cast<std::ptrdiff_t>(i) * columns + j];
}

/// @brief Softmax of each run of `size` numbers in place; rows are `stride` apart and hold `groups` runs side by side.
template <class T>
void softmax_rows(T* data, std::ptrdiff_t stride, int rows, int groups, int size) {
  simd::run_lanes<T>(size % simd::lanes == 0, [=](auto lane) LACUNA_KERNEL {
    using Lane = decltype(lane);
    constexpr int w = simd::width<Lane>;
    for (int i = 0; i < rows; ++i)
      for (int g = 0; g < groups; ++g) {
        T* x = data + i * stride + g * size;
        Lane peaks = simd::load_lane<Lane>(x), sums = simd::zero_lane<Lane>();
        for (int j = w; j < size; j += w) peaks = simd::larger(peaks, simd::load_lane<Lane>(x + j));
        const T peak = simd::largest(peaks);
        for (int j = 0; j < size; j += w) {
          const Lane e = simd::exp(simd::load_lane<Lane>(x + j) - peak);
          sums += e;
          simd::store_lane<Lane>(x + j, e);
        }
        const T inverse = T(1) / simd::sum(sums);
        for (int j = 0; j < size; j += w) simd::store_lane<Lane>(x + j, simd::load_lane<Lane>(x + j) * inverse);
      }
  });
}

/// @brief Through the softmax, in place: grad = factor p (grad - sum(p grad)), layout as softmax_rows().
template <class T>
void softmax_rows_backward(const T* p, T* grad, std::ptrdiff_t stride, int rows, int groups, int size, T factor) {
  simd::run_lanes<T>(size % simd::lanes == 0, [=](auto lane) LACUNA_KERNEL {
    using Lane = decltype(lane);
    constexpr int w = simd::width<Lane>;
    for (int i = 0; i < rows; ++i)
      for (int g = 0; g < groups; ++g) {
        const std::ptrdiff_t at = i * stride + g * size;
        Lane products = simd::zero_lane<Lane>();
        for (int j = 0; j < size; j += w) products += simd::load_lane<Lane>(p + at + j) * simd::load_lane<Lane>(grad + at + j);
        const T dot = simd::sum(products);
        for (int j = 0; j < size; j += w)
          simd::store_lane<Lane>(grad + at + j,
                                 factor * simd::load_lane<Lane>(p + at + j) * (simd::load_lane<Lane>(grad + at + j) - dot));
      }
  });
}

}  // namespace lacuna::ops
