// What the emulated cuDNN computes: convolutions with any strides, summed in double in one order, and pointwise sums.
#include <algorithm>
#include <cstring>

#include "cuda_emulation/libraries/cudnn.hpp"
#include "cuda_emulation/libraries/numbers.hpp"

namespace cuda_emulation {

std::size_t Tensor::count() const {
  std::int64_t n = 1;
  for (const std::int64_t size : sizes) n *= size;
  return static_cast<std::size_t>(n);
}
std::size_t Tensor::extent() const {
  std::int64_t last = 0;
  for (std::size_t i = 0; i < sizes.size(); ++i) last += (sizes[i] - 1) * strides[i];
  return static_cast<std::size_t>(last + 1);
}

std::vector<const Tensor*> Operation::inputs() const {
  if (direction == 0) return {&x, &w};
  if (direction == 1) return {&y, &w};
  if (direction == 2) return {&x, &y};
  if (has_b) return {&x, &b};
  return {&x};
}

std::string contradiction(const Operation& o) {
  if (o.direction < 0) {
    if (o.x.sizes != o.y.sizes) return "x and y differ in size";
    for (std::size_t i = 0; o.has_b && i < o.x.sizes.size(); ++i)
      if (o.b.sizes.size() != o.x.sizes.size() || (o.b.sizes[i] != 1 && o.b.sizes[i] != o.x.sizes[i]))
        return "b does not spread to x";
    return "";
  }
  const std::size_t rank = o.shape.stride.size() + 2;
  if (o.x.sizes.size() != rank || o.w.sizes.size() != rank || o.y.sizes.size() != rank) return "ranks differ";
  if (o.x.sizes[0] != o.y.sizes[0]) return "batches of x and y differ";
  if (o.w.sizes[1] != o.x.sizes[1] || o.w.sizes[0] != o.y.sizes[1]) return "channels of the filter differ from x or y";
  for (std::size_t i = 2; i < rank; ++i) {
    const std::int64_t window = (o.w.sizes[i] - 1) * o.shape.dilation[i - 2] + 1;
    const std::int64_t room = o.x.sizes[i] + o.shape.before[i - 2] + o.shape.after[i - 2] - window;
    if (room < 0 || room / o.shape.stride[i - 2] + 1 != o.y.sizes[i])
      return "y has not the size that x, the filter and pads give";
  }
  if (!o.w.packed()) return "the filter has gaps in memory";
  return "";
}

namespace {

/// @brief A tensor as packed floats (batch, depth, rows, columns, channels): what loops run over quickly.
struct Packed {
  std::int64_t n, c, d, h, w;
  std::vector<float> values;
  float* at(std::int64_t b, std::int64_t z, std::int64_t y, std::int64_t x) {
    return values.data() + (((b * d + z) * h + y) * w + x) * c;
  }
};

/// Sizes and strides as (n, c, d, h, w), with d = 1 of 4-d tensors.
std::array<std::int64_t, 5> five(const std::vector<std::int64_t>& of, std::int64_t missing) {
  if (of.size() == 4) return {of[0], of[1], missing, of[2], of[3]};
  return {of[0], of[1], of[2], of[3], of[4]};
}

template <class Visit>
void for_elements(const Tensor& t, const Visit& visit) {
  const auto [n, c, d, h, w] = five(t.sizes, 1);
  const auto s = five(t.strides, 0);
  std::size_t i = 0;
  for (std::int64_t b = 0; b < n; ++b)
    for (std::int64_t z = 0; z < d; ++z)
      for (std::int64_t y = 0; y < h; ++y)
        for (std::int64_t x = 0; x < w; ++x)
          for (std::int64_t k = 0; k < c; ++k)
            visit(i++, static_cast<std::size_t>(b * s[0] + k * s[1] + z * s[2] + y * s[3] + x * s[4]));
}
Packed read(const Tensor& t, void* memory) {
  const auto [n, c, d, h, w] = five(t.sizes, 1);
  Packed out{n, c, d, h, w, std::vector<float>(t.count())};
  const Numbers numbers{memory, t.bfloat16};
  for_elements(t, [&](std::size_t i, std::size_t at) { out.values[i] = numbers[at]; });
  return out;
}

void convolve(const Operation& o, void* x_memory, void* w_memory, void* y_memory) {
  // The output begins as zeros and collects every product; sums in float would depend on nothing but this order either, but
  // double keeps the emulation's own error out of comparisons.
  const auto blank = [](const Tensor& t) {
    const auto [n, c, d, h, w] = five(t.sizes, 1);
    return Packed{n, c, d, h, w, {}};
  };
  Packed x = o.direction == 1 ? blank(o.x) : read(o.x, x_memory);
  Packed w = o.direction == 2 ? blank(o.w) : read(o.w, w_memory);
  Packed y = o.direction == 0 ? blank(o.y) : read(o.y, y_memory);
  std::vector<double> sums(o.output().count(), 0.0);
  const bool flat = o.shape.stride.size() == 2;
  const auto of_axis = [&](const std::vector<std::int64_t>& values, std::size_t axis, std::int64_t missing) {
    return flat ? (axis == 0 ? missing : values[axis - 1]) : values[axis];
  };
  std::int64_t stride[3], pad[3], step[3];
  for (std::size_t axis = 0; axis < 3; ++axis) {
    stride[axis] = of_axis(o.shape.stride, axis, 1);
    pad[axis] = of_axis(o.shape.before, axis, 0);
    step[axis] = of_axis(o.shape.dilation, axis, 1);
  }
  const auto offset = [](const Packed& p, std::int64_t b, std::int64_t z, std::int64_t r, std::int64_t q) {
    return static_cast<std::size_t>((((b * p.d + z) * p.h + r) * p.w + q) * p.c);
  };
  const auto tap = [&](std::size_t ix, std::size_t iy, std::int64_t fz, std::int64_t fy, std::int64_t fx) {
    for (std::int64_t k = 0; k < y.c; ++k) {
      const std::size_t iw = offset(w, k, fz, fy, fx);
      const std::size_t out = iy + static_cast<std::size_t>(k);
      const auto channels = static_cast<std::size_t>(x.c);
      if (o.direction == 0) {
        double sum = 0;
        for (std::size_t c = 0; c < channels; ++c)
          sum += static_cast<double>(x.values[ix + c]) * static_cast<double>(w.values[iw + c]);
        sums[out] += sum;
        continue;
      }
      const auto gradient = static_cast<double>(y.values[out]);
      const std::vector<float>& other = o.direction == 1 ? w.values : x.values;
      const std::size_t from = o.direction == 1 ? iw : ix, to = o.direction == 1 ? ix : iw;
      for (std::size_t c = 0; c < channels; ++c) sums[to + c] += gradient * static_cast<double>(other[from + c]);
    }
  };
  for (std::int64_t b = 0; b < y.n; ++b)
    for (std::int64_t oz = 0; oz < y.d; ++oz)
      for (std::int64_t oy = 0; oy < y.h; ++oy)
        for (std::int64_t ox = 0; ox < y.w; ++ox)
          for (std::int64_t fz = 0; fz < w.d; ++fz)
            for (std::int64_t fy = 0; fy < w.h; ++fy)
              for (std::int64_t fx = 0; fx < w.w; ++fx) {
                const std::int64_t z = oz * stride[0] - pad[0] + fz * step[0], r = oy * stride[1] - pad[1] + fy * step[1],
                                   q = ox * stride[2] - pad[2] + fx * step[2];
                if (z < 0 || r < 0 || q < 0 || z >= x.d || r >= x.h || q >= x.w) continue;
                tap(offset(x, b, z, r, q), offset(y, b, oz, oy, ox), fz, fy, fx);
              }
  void* const memory = o.direction == 0 ? y_memory : o.direction == 1 ? x_memory : w_memory;
  const Numbers out{memory, o.output().bfloat16};
  for_elements(o.output(), [&](std::size_t i, std::size_t at) {
    const double old =
        o.beta == 0 ? 0.0 : static_cast<double>(o.beta) * static_cast<double>(out[at]);  // NaN of old memory: not read
    out.set(at, static_cast<float>(sums[i] + old));
  });
}

void pointwise(const Operation& o, void* x_memory, void* b_memory, void* y_memory) {
  const Numbers x{x_memory, o.x.bfloat16}, b{b_memory, o.b.bfloat16}, y{y_memory, o.y.bfloat16};
  std::vector<std::size_t> at_x, at_b;
  for_elements(o.x, [&](std::size_t, std::size_t at) { at_x.push_back(at); });
  if (o.has_b) {
    Tensor spread = o.b;  // size 1 is repeated: stride 0
    for (std::size_t i = 0; i < spread.sizes.size(); ++i) {
      if (spread.sizes[i] == 1) spread.strides[i] = 0;
      spread.sizes[i] = o.x.sizes[i];
    }
    for_elements(spread, [&](std::size_t, std::size_t at) { at_b.push_back(at); });
  }
  for_elements(o.y, [&](std::size_t i, std::size_t at) { y.set(at, x[at_x[i]] + (o.has_b ? b[at_b[i]] : 0.0f)); });
}

}  // namespace

void compute(const std::vector<Operation>& operations, const std::map<std::int64_t, void*>& memory) {
  std::map<std::int64_t, std::vector<float>> temporaries;
  const auto find = [&](const Tensor& t) -> void* {
    if (!t.is_virtual) return memory.at(t.id);
    auto& values = temporaries[t.id];
    values.resize(t.extent());
    return values.data();
  };
  for (const Operation& o : operations) {
    if (o.direction < 0)
      pointwise(o, find(o.x), o.has_b ? find(o.b) : nullptr, find(o.y));
    else
      convolve(o, find(o.x), find(o.w), find(o.y));
  }
}

}  // namespace cuda_emulation
