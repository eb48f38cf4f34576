#pragma once

#include "lacuna/ops/attention.hpp"
#include "lacuna/ops/position_bias.hpp"

namespace lacuna::ops {

/// @brief What all blocks of a temporal attention read: sizes, weights with columns padded to whole lanes, positions.
template <class T>
struct TimeTables {
  AttentionParameters layer;
  int frames;               // of a sample
  const T* qkv;             // (3W, C)
  T* qkv_transposed;        // (C, padded 3W)
  T *out, *out_transposed;  // (C, padded W), (W, C)
  T *cosine, *sine;         // (T, F / 2)
  T* bias;                  // (heads, 2T - 1), by query - key + T - 1

  static int padded(int n) { return (n + simd::lanes - 1) / simd::lanes * simd::lanes; }
  static std::size_t size(const AttentionParameters& l, int frames) {
    const int weights = l.channels * (padded(3 * l.width()) + padded(l.width()) + l.width());
    const int positions = frames * l.features + l.heads * (2 * frames - 1);
    return static_cast<std::size_t>(weights) + static_cast<std::size_t>(positions);
  }

  TimeTables(const AttentionParameters& l, const TimePositions& positions, int frame_count, const Parameters<T>& p, T* space)
      : layer(l),
        frames(frame_count),
        qkv(p.value(l.qkv)),
        qkv_transposed(space),
        out(qkv_transposed + l.channels * padded(3 * l.width())),
        out_transposed(out + l.channels * padded(l.width())),
        cosine(out_transposed + l.channels * l.width()),
        sine(cosine + frames * l.features / 2),
        bias(sine + frames * l.features / 2) {
    const int c = l.channels, w = l.width();
    std::fill(qkv_transposed, out_transposed, T(0));
    transpose_tile<T>(qkv, c, qkv_transposed, padded(3 * w), 3 * w, c);
    transpose_tile<T>(p.value(l.out), w, out_transposed, c, c, w);
    for (int i = 0; i < c; ++i) std::copy_n(p.value(l.out) + i * w, w, out + i * padded(w));
    rotary_tables(p.value(positions.frequencies), frames, l.features / 2, cosine, sine);
    for (int i = 0; i < l.heads * (2 * frames - 1); ++i)
      bias[i] = p.value(positions.bias)[position_bucket(i % (2 * frames - 1) - frames + 1) * l.heads + i / (2 * frames - 1)];
  }
};

/// @brief Attention over the frames of a block of pixels, which lie side by side in the lanes: (T, features, block).
template <class T, class Lane = simd::Widest<T>>
class TimeBlock {
 public:
  static constexpr int block = 32;

  /// Scalars of workspace: q, k, v and their gradients, o and its gradient, rows of a frame, one query's scores and gradients.
  static std::size_t workspace(const AttentionParameters& l, int frames) {
    const auto t = static_cast<std::size_t>(frames), w = static_cast<std::size_t>(l.width());
    return block * (8 * t * w + static_cast<std::size_t>(TimeTables<T>::padded(3 * l.width())) + 2 * t);
  }
  /// Scalars of the gradient of the bias, a lane for each distance and head: they are summed at the end.
  static std::size_t bias_sums(const AttentionParameters& l, int frames) {
    return static_cast<std::size_t>(l.heads) * static_cast<std::size_t>(2 * frames - 1) * simd::width<Lane>;
  }

  TimeBlock(const TimeTables<T>& tables, T* space)
      : t_(tables),
        w_(tables.layer.width()),
        qkv_(space),
        grad_qkv_(qkv_ + tables.frames * 3 * w_ * block),
        o_(grad_qkv_ + tables.frames * 3 * w_ * block),
        grad_o_(o_ + tables.frames * w_ * block),
        rows_(grad_o_ + tables.frames * w_ * block),
        scores_(rows_ + TimeTables<T>::padded(3 * w_) * block) {}

  /// x, residual and y point to the block's first pixel in the sample's first frame; `count` pixels are used; from a frame to the
  /// next it is `apart` pixels.
  void forward(const T* x, const T* residual, T* y, int count, int apart) {
    apart_ = apart;
    project(x, count);
    attend(nullptr);
    const int c = t_.layer.channels;
    for (int frame = 0; frame < t_.frames; ++frame) {
      T* rows = y + frame_offset(frame);
      start_attention_rows<T, T>(residual + frame_offset(frame), nullptr, rows, static_cast<std::size_t>(count), c);
      tile_product<T>({o_ + frame * w_ * block, 1, block, t_.out_transposed, c, rows, c, count, w_, c, true});
    }
  }

  /// grad_x is overwritten, the sums are added to.
  void backward(const T* x, const T* grad_y, T* grad_x, int count, int apart, const AttentionSums<T>& sums, T* bias_sums) {
    apart_ = apart;
    const int c = t_.layer.channels, padded = TimeTables<T>::padded(w_);
    project(x, count);
    for (int frame = 0; frame < t_.frames; ++frame) {
      tile_product<T>({grad_y + frame_offset(frame), c, 1, t_.out, padded, rows_, padded, count, c, padded});
      to_lanes(rows_, padded, grad_o_ + frame * w_ * block, w_, count);
    }
    std::fill_n(grad_qkv_, t_.frames * 3 * w_ * block, T(0));
    attend(bias_sums);
    rotate(grad_qkv_, T(-1));
    for (int frame = 0; frame < t_.frames; ++frame) {
      const T* grad = grad_qkv_ + frame * 3 * w_ * block;
      const T *from = x + frame_offset(frame), *grad_rows = grad_y + frame_offset(frame);
      tile_product<T>({grad, 1, block, t_.qkv, c, grad_x + frame_offset(frame), c, count, 3 * w_, c});
      tile_product<T>({grad, block, 1, from, c, sums.qkv, c, 3 * w_, count, c, true});
      tile_product<T>({o_ + frame * w_ * block, block, 1, grad_rows, c, sums.out, c, w_, count, c, true});
    }
  }

 private:
  std::ptrdiff_t frame_offset(int frame) const { return static_cast<std::ptrdiff_t>(frame) * apart_ * t_.layer.channels; }
  T scale() const { return T(1) / std::sqrt(static_cast<T>(t_.layer.features)); }

  /// Rows of pixels -> lanes of pixels; pixels past the last are zero.
  static void to_lanes(const T* rows, int row, T* lanes, int columns, int count) {
    for (int j = 0; j < columns; ++j)
      for (int i = 0; i < block; ++i) lanes[j * block + i] = i < count ? rows[i * row + j] : T(0);
  }

  void project(const T* x, int count) {
    const int c = t_.layer.channels, padded = TimeTables<T>::padded(3 * w_);
    for (int frame = 0; frame < t_.frames; ++frame) {
      tile_product<T>({x + frame_offset(frame), c, 1, t_.qkv_transposed, padded, rows_, padded, count, c, padded});
      to_lanes(rows_, padded, qkv_ + frame * 3 * w_ * block, 3 * w_, count);
    }
    rotate(qkv_, T(1));
  }

  /// Scales q and turns the pairs (a, b) of q and k by the frame's angles, forth or (direction -1, for gradients) back.
  void rotate(T* qkv, T direction) {
    const int f = t_.layer.features;
    for (int i = 0; i < t_.frames * w_; ++i) {
      const int frame = i / w_, pair = i % w_, turn = frame * f / 2 + pair % (f / 2);
      const T factor = pair < w_ / 2 ? scale() : T(1);
      const T cosine = factor * t_.cosine[turn], sine = factor * direction * t_.sine[turn];
      T *a = qkv + (frame * 3 * w_ + 2 * pair) * block, *b = a + block;
      for (int j = 0; j < block; ++j) {
        const T before = a[j];
        a[j] = before * cosine - b[j] * sine;
        b[j] = b[j] * cosine + before * sine;
      }
    }
  }

  /// What the kernel reads and writes, by value.
  struct Kernel {
    const T *qkv, *grad_o, *bias;
    T *o, *grad_qkv, *scores, *bias_sums;
    int frames, heads, features;
  };

  /// o, and with `bias_sums` the gradients of q, k, v and of the bias.
  void attend(T* bias_sums) {
    const Kernel k{qkv_, grad_o_, t_.bias, o_, grad_qkv_, scores_, bias_sums, t_.frames, t_.layer.heads, t_.layer.features};
    if constexpr (std::is_same_v<Lane, T>)
      attend_all(k);
    else
      simd::run([&k]() LACUNA_KERNEL { attend_all(k); });
  }

  LACUNA_INLINE static void attend_all(const Kernel& given) {
    const Kernel k = given;
    for (int head = 0; head < k.heads; ++head)
      for (int query = 0; query < k.frames; ++query)
        for (int at = 0; at < block; at += simd::width<Lane>) {
          attend_query(k, head, query, at);
          if (k.bias_sums != nullptr) backward_query(k, head, query, at);
        }
  }

  LACUNA_INLINE static Lane lane(const T* p) { return simd::load_lane<Lane>(p); }
  LACUNA_INLINE static void add(T* p, const Lane& v) { simd::store_lane<Lane>(p, lane(p) + v); }
  /// Lanes of a feature: part 0, 1, 2 of q, k, v.
  LACUNA_INLINE static int index(const Kernel& k, int part, int frame, int feature) {
    return ((3 * frame + part) * k.heads * k.features + feature) * block;
  }

  /// Probabilities of a query's keys into scores (T, lanes); the query's part of o.
  LACUNA_INLINE static void attend_query(const Kernel& k, int head, int query, int at) {
    const int first = head * k.features;
    Lane peak = simd::zero_lane<Lane>() + std::numeric_limits<T>::lowest(), total = simd::zero_lane<Lane>();
    for (int key = 0; key < k.frames; ++key) {
      Lane score = simd::zero_lane<Lane>() + k.bias[head * (2 * k.frames - 1) + query - key + k.frames - 1];
      for (int f = 0; f < k.features; ++f)
        score += lane(k.qkv + index(k, 0, query, first + f) + at) * lane(k.qkv + index(k, 1, key, first + f) + at);
      simd::store_lane<Lane>(k.scores + key * simd::width<Lane>, score);
      peak = simd::larger(score, peak);
    }
    for (int key = 0; key < k.frames; ++key) {
      const Lane e = simd::exp(lane(k.scores + key * simd::width<Lane>) - peak);
      simd::store_lane<Lane>(k.scores + key * simd::width<Lane>, e);
      total += e;
    }
    const Lane inverse = T(1) / total;
    for (int key = 0; key < k.frames; ++key) {
      T* p = k.scores + key * simd::width<Lane>;
      simd::store_lane<Lane>(p, lane(p) * inverse);
    }
    for (int f = 0; f < k.features; ++f) {
      Lane sum = simd::zero_lane<Lane>();
      for (int key = 0; key < k.frames; ++key)
        sum += lane(k.scores + key * simd::width<Lane>) * lane(k.qkv + index(k, 2, key, first + f) + at);
      simd::store_lane<Lane>(k.o + (query * k.heads * k.features + first + f) * block + at, sum);
    }
  }

  /// Adds to the gradients of the query, of all keys and values and of the bias; p are the probabilities in scores.
  LACUNA_INLINE static void backward_query(const Kernel& k, int head, int query, int at) {
    const int first = head * k.features, w = simd::width<Lane>;
    const T* grad_o = k.grad_o + (query * k.heads * k.features + first) * block + at;
    T* grad_scores = k.scores + k.frames * w;
    Lane dot = simd::zero_lane<Lane>();
    for (int key = 0; key < k.frames; ++key) {
      const Lane p = lane(k.scores + key * w);
      Lane grad_p = simd::zero_lane<Lane>();
      for (int f = 0; f < k.features; ++f) {
        const Lane g = lane(grad_o + f * block);
        grad_p += g * lane(k.qkv + index(k, 2, key, first + f) + at);
        add(k.grad_qkv + index(k, 2, key, first + f) + at, p * g);
      }
      simd::store_lane<Lane>(grad_scores + key * w, grad_p);
      dot += p * grad_p;
    }
    for (int key = 0; key < k.frames; ++key) {
      const Lane g = lane(k.scores + key * w) * (lane(grad_scores + key * w) - dot);
      add(k.bias_sums + (head * (2 * k.frames - 1) + query - key + k.frames - 1) * w, g);
      for (int f = 0; f < k.features; ++f) {
        add(k.grad_qkv + index(k, 0, query, first + f) + at, g * lane(k.qkv + index(k, 1, key, first + f) + at));
        add(k.grad_qkv + index(k, 1, key, first + f) + at, g * lane(k.qkv + index(k, 0, query, first + f) + at));
      }
    }
  }

  const TimeTables<T>& t_;
  int w_, apart_ = 0;
  T *qkv_, *grad_qkv_, *o_, *grad_o_, *rows_, *scores_;
};

/// @brief A block's pixels of all frames in the kernel's scalar: in place, or for bfloat16 as copies (T, count, C).
template <class T, class S>
class TimeCopies {
 public:
  using Copies = WideCopies<T, S>;

  TimeCopies(T* room, const Shape& shape, int count)
      : copies_(room),
        frames_(static_cast<std::size_t>(shape.frames)),
        count_(static_cast<std::size_t>(count) * static_cast<std::size_t>(shape.channels)),
        apart_(Copies::needed ? count : shape.pixels()),
        step_(static_cast<std::size_t>(shape.pixels()) * static_cast<std::size_t>(shape.channels)) {}

  T* read(const S* values) { return copies_.read(values, count_, frames_, step_); }
  T* place(S* values) { return copies_.place(values, count_ * frames_); }
  void write(const T* copy, S* values) const { copies_.write(copy, values, count_, frames_, step_); }
  int apart() const { return apart_; }  ///< pixels from a frame to the next

 private:
  Copies copies_;
  std::size_t frames_, count_;
  int apart_;
  std::size_t step_;
};

/// @brief Calls work(block, offset of its first pixel, its pixels, slot, copies) for every block of pixels of every sample;
/// `copies` has room for three blocks.
template <class S, class T, class Work>
void for_time_blocks(Graph<T>& graph, const AttentionParameters& layer, const TimePositions& positions, const Shape& shape,
                     const Work& work) {
  using Block = TimeBlock<T>;
  const int threads = graph.device().threads();
  const auto per_sample = static_cast<std::size_t>((shape.pixels() + Block::block - 1) / Block::block);
  const std::size_t block_values =
      static_cast<std::size_t>(Block::block) * static_cast<std::size_t>(shape.frames) * static_cast<std::size_t>(shape.channels);
  const std::size_t kernel = Block::workspace(layer, shape.frames), own = kernel + WideCopies<T, S>::size(3 * block_values),
                    space = own * static_cast<std::size_t>(threads);
  const std::size_t tables_size = TimeTables<T>::size(layer, shape.frames);
  T *workspace = graph.take(space), *tables_space = graph.take(tables_size);
  if (!graph.dry()) {
    const auto sample_cells = shape.cells() / static_cast<std::size_t>(shape.batch);
    const TimeTables<T> tables(layer, positions, shape.frames, graph.parameters(), tables_space);
    for_attention_slots(threads, [&](int slot, int worker) {
      T* mine = workspace + own * static_cast<std::size_t>(worker);
      Block block(tables, mine);
      const auto [begin, end] = share(static_cast<std::size_t>(shape.batch) * per_sample, attention_slots, slot);
      for (std::size_t i = begin; i < end; ++i) {
        const int pixel = static_cast<int>(i % per_sample) * Block::block;
        const std::size_t cell = i / per_sample * sample_cells;
        const int count = std::min(Block::block, shape.pixels() - pixel);
        work(block, (cell + static_cast<std::size_t>(pixel)) * static_cast<std::size_t>(shape.channels), count, slot,
             TimeCopies<T, S>(mine + kernel, shape, count));
      }
    });
  }
  graph.give(tables_space, tables_size);
  graph.give(workspace, space);
}

/// @brief Adds the slots' lanes of every distance to the gradient of its bucket.
template <class T>
void add_bias_sums(const T* all, const AttentionParameters& layer, int frames, T* grad_bias) {
  constexpr auto w = static_cast<std::size_t>(simd::width<simd::Widest<T>>);
  const std::size_t size = TimeBlock<T>::bias_sums(layer, frames);
  for (std::size_t i = 0; i < size * attention_slots; ++i) {
    const int entry = static_cast<int>(i % size / w), distance = entry % (2 * frames - 1) - frames + 1;
    grad_bias[position_bucket(distance) * layer.heads + entry / (2 * frames - 1)] += all[i];
  }
}

template <class T, class S>
void temporal_attention_forward(Graph<T>& graph, const AttentionOperands<S>& o, const TimePositions& positions, S* y) {
  for_time_blocks<S>(graph, o.layer, positions, o.x.shape, [&](auto& block, std::size_t at, int count, int, auto copies) {
    const T *from = copies.read(o.x.data + at), *before = copies.read(o.residual.data + at);
    T* to = copies.place(y + at);
    block.forward(from, before, to, count, copies.apart());
    copies.write(to, y + at);
  });
}
/// grad_x: overwritten.
template <class T, class S>
void temporal_attention_backward(Graph<T>& graph, const AttentionOperands<S>& o, const TimePositions& positions, const S* grad_y,
                                 S* grad_x) {
  const AttentionParameters& layer = o.layer;
  const int frames = o.x.shape.frames;
  const std::size_t sums_size = AttentionSums<T>::size(layer) * attention_slots;
  const std::size_t bias_size = TimeBlock<T>::bias_sums(layer, frames);
  T *all = graph.take(sums_size), *biases = graph.take(bias_size * attention_slots);
  if (!graph.dry()) {
    std::fill_n(all, sums_size, T(0));
    std::fill_n(biases, bias_size * attention_slots, T(0));
  }
  for_time_blocks<S>(graph, layer, positions, o.x.shape, [&](auto& block, std::size_t at, int count, int slot, auto copies) {
    const T *from = copies.read(o.x.data + at), *gradient = copies.read(grad_y + at);
    T* to = copies.place(grad_x + at);
    block.backward(from, gradient, to, count, copies.apart(), AttentionSums<T>(all, layer, slot),
                   biases + bias_size * static_cast<std::size_t>(slot));
    copies.write(to, grad_x + at);
  });
  if (!graph.dry()) {
    add_attention_sums(all, layer, graph.parameters());
    add_bias_sums(biases, layer, frames, graph.parameters().gradient(positions.bias));
  }
  graph.give(biases, bias_size * attention_slots);
  graph.give(all, sums_size);
}

/// @brief y = residual + W_out softmax(R q (R k)^T features^-1/2 + bias) v over the frames of each pixel; R turns neighbouring
/// pairs of features by frame * frequency (rotary embedding), bias depends on the bucket of query - key.
///
/// Shapes: x, residual, y (B,T,H,W,C). Gradient: handed to x and residual; that of the weights and of the bias table
/// accumulates (all layers share the table); frequencies have none. NaN: spreads over the frames of its pixel.
/// bfloat16: x, residual, y and their gradients; within a block of pixels all is float, but for q, k, v, o and their gradients on
/// a GPU.
/// Determinism: independent of the number of threads. Cost: pixels in lanes, the tensor read in place; nothing is kept, scores
/// are computed again backward. Throws: ShapeError if x, residual, table or frequencies do not fit the layer, or if it has a
/// bias. Source: Su et al. 2021, arXiv:2104.09864; Raffel et al. 2020, arXiv:1910.10683; method section 8.
template <class T, class D, class S>
Variable<S> temporal_attention(Graph<T, D>& graph, const AttentionParameters& layer, const TimePositions& positions,
                               const Variable<S>& x, const Variable<S>& residual) {
  require_attention("temporal_attention", layer, x, residual);
  require<ShapeError>(layer.bias.size == 0, "temporal_attention: the output projection has a bias of ", layer.bias.size,
                      " elements, expected none");
  require<ShapeError>(
      layer.features % 2 == 0 && 2 * positions.frequencies.size == static_cast<std::size_t>(layer.features) &&
          positions.bias.size == static_cast<std::size_t>(position_buckets) * static_cast<std::size_t>(layer.heads),
      "temporal_attention: ", layer.heads, " heads of ", layer.features, " features with ", positions.frequencies.size,
      " frequencies and ", positions.bias.size, " biases, expected an even number of features, half as many frequencies and ",
      position_buckets, " biases a head");
  const auto scope = graph.template op<S>("temporal_attention", {.forward = 3 * x.shape.size(), .backward = 3 * x.shape.size()});
  const auto y = graph.template make<S>(x.shape);
  const AttentionOperands<S> o{layer, x, residual};
  temporal_attention_forward<T, S>(graph, o, positions, y.data);
  graph.record([&graph, o, positions, y] {
    S* grad_x = graph.template take<S>(o.x.shape.size());
    temporal_attention_backward<T, S>(graph, o, positions, y.node->gradient, grad_x);
    hand_over(graph, o.x, grad_x, o.residual, y);
  });
  return y;
}

}  // namespace lacuna::ops
