#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <numbers>
#include <vector>

#include "lacuna/core/error.hpp"
#include "lacuna/ops/lane_fft.hpp"
#include "lacuna/ops/panel_product.hpp"

namespace lacuna::ops {

/// @brief Which code runs the transform along an axis: a product with the truncated DFT matrix, or a fast Fourier transform.
enum class AxisTransform { product, fft };

/// @brief The kept part of the discrete Fourier transform along one axis of channels-last data, and its adjoint.
///
/// A whole axis (complex, centred spectrum): mode j of m is frequency j - m/2 (integer division), so an even m keeps -m/2 to
/// m/2 - 1 and an odd one -(m-1)/2 to (m-1)/2, whether the size n is even or odd. A half axis (real, the last one): mode j is
/// frequency j, and m/2 + 1 are kept. Frequencies enter as exp(-2 pi i k x / n): nothing is shifted, so nothing can be shifted
/// wrongly.
///
/// Data: space (n, columns) real for a half axis, (n, 2, columns) else, the 2 being real and imaginary parts; modes
/// (2, kept, columns). analyse(): modes_k = w_k sum_x exp(-2 pi i k x / n) space_x. synthesise() is its adjoint:
/// space_x = sum_k w_k exp(2 pi i k x / n) modes_k, of which a half axis takes the real part.
/// Neither allocates. NaN: spreads along the axis, within its column.
template <class T>
class SpectralAxis {
 public:
  enum class Half { no, yes };
  /// Weights w_k of the modes.
  enum class Weights {
    mean,     ///< 1/n
    members,  ///< how many frequencies a mode stands for: 2 on a half axis, where the conjugate is not stored, but 1 for
              ///< frequency 0 and n/2, whose imaginary parts no real field holds; 1 on a whole axis
  };

  /// Takes the cheaper transform.
  SpectralAxis(int size, int modes, Half kind) : SpectralAxis(size, modes, kind, cheaper(size, modes, kind)) {}

  /// Throws as validate().
  SpectralAxis(int size, int modes, Half kind, AxisTransform transform)
      : size_(size), half_(kind == Half::yes), transform_(transform), fft_(transform == AxisTransform::fft ? size : 1) {
    validate(size, modes, kind);
    kept_ = half_ ? modes / 2 + 1 : modes;
    for (int j = 0; j < kept_; ++j) frequencies_.push_back(half_ ? j : j - modes / 2);
    for (const auto weights : {Weights::mean, Weights::members})
      if (transform == AxisTransform::product) table_[static_cast<std::size_t>(weights)] = table(weights);
  }

  /// Throws ShapeError unless 1 <= modes <= size, and modes are even on a half axis.
  static void validate(int size, int modes, Half kind) {
    const bool even = kind == Half::yes;
    require<ShapeError>(modes >= 1 && modes <= size && (!even || modes % 2 == 0), "spectral axis: ", modes, " modes on ", size,
                        " cells; expected 1 to ", size, even ? ", an even number" : "");
  }

  /// A product takes 4 n m real multiplications a column (half axis: 2 n (m/2 + 1)).
  static AxisTransform cheaper(int size, int modes, Half kind) {
    const double product = kind == Half::yes ? 0.5 * (modes / 2 + 1) : modes;
    return LaneFft<T>::cost(size) < product ? AxisTransform::fft : AxisTransform::product;
  }

  int size() const { return size_; }
  int kept() const { return kept_; }
  AxisTransform transform() const { return transform_; }
  const std::vector<int>& frequencies() const { return frequencies_; }
  /// analyse() as a matrix (2 kept, rows of space), whose transpose synthesises; empty unless the transform is a product.
  const std::vector<T>& matrix(Weights weights) const { return table_[static_cast<std::size_t>(weights)]; }
  /// Rows of a block in space.
  int space_rows() const { return half_ ? size_ : 2 * size_; }
  /// Scalars of workspace a call needs.
  std::size_t workspace() const {
    return transform_ == AxisTransform::fft ? 2 * fft_.buffer() * static_cast<std::size_t>(LanePack<T>::lanes) : 0;
  }

  /// `width` columns of a block from the pointers on; rows lie `columns` apart. workspace: 64-byte aligned.
  void analyse(const T* space, T* modes, std::ptrdiff_t columns, std::ptrdiff_t width, Weights weights, T* workspace) const {
    if (transform_ == AxisTransform::product) {
      panel_product({matrix(weights).data(), space_rows()}, {space, columns}, {modes, columns}, {2 * kept_, width, space_rows()});
      return;
    }
    in_lanes(width, workspace, [=, this](std::ptrdiff_t j, std::ptrdiff_t some, Pack* a, Pack* b) LACUNA_KERNEL {
      for (int x = 0; x < size_; ++x) {
        a[x] = load(space + (half_ ? x : 2 * x) * columns + j, some);
        a[size_ + x] = half_ ? zero_pack<Pack>(T(0)) : load(space + (2 * x + 1) * columns + j, some);
      }
      const Pack* spectrum = fft_.run(a, b, T(-1));
      for (int k = 0; k < kept_; ++k) {
        const T w = weight(k, weights);
        store(w * spectrum[place(k)], modes + k * columns + j, some);
        store((self_conjugate(k) ? T(0) : w) * spectrum[size_ + place(k)], modes + (kept_ + k) * columns + j, some);
      }
    });
  }

  void synthesise(const T* modes, T* space, std::ptrdiff_t columns, std::ptrdiff_t width, Weights weights, T* workspace) const {
    if (transform_ == AxisTransform::product) {
      panel_product(Strided<const T>{matrix(weights).data(), space_rows()}.transposed(), {modes, columns}, {space, columns},
                    {space_rows(), width, 2 * kept_});
      return;
    }
    in_lanes(width, workspace, [=, this](std::ptrdiff_t j, std::ptrdiff_t some, Pack* a, Pack* b) LACUNA_KERNEL {
      for (int x = 0; x < 2 * size_; ++x) a[x] = zero_pack<Pack>(T(0));
      for (int k = 0; k < kept_; ++k) {
        const T w = weight(k, weights);
        a[place(k)] = w * load(modes + k * columns + j, some);
        a[size_ + place(k)] = (self_conjugate(k) ? T(0) : w) * load(modes + (kept_ + k) * columns + j, some);
      }
      const Pack* field = fft_.run(a, b, T(1));
      for (int x = 0; x < size_; ++x) {
        store(field[x], space + (half_ ? x : 2 * x) * columns + j, some);
        if (!half_) store(field[size_ + x], space + (2 * x + 1) * columns + j, some);
      }
    });
  }

 private:
  using Pack = typename LanePack<T>::Type;
  static constexpr std::ptrdiff_t lanes = LanePack<T>::lanes;

  /// Frequency 0 and the Nyquist frequency of a half axis.
  bool self_conjugate(int mode) const { return half_ && 2 * mode % size_ == 0; }
  T weight(int mode, Weights weights) const {
    if (weights == Weights::mean) return T(1) / static_cast<T>(size_);
    return half_ && !self_conjugate(mode) ? T(2) : T(1);
  }
  /// Where the transform has a mode's frequency.
  int place(int mode) const {
    const int k = frequencies_[static_cast<std::size_t>(mode)];
    return k < 0 ? k + size_ : k;
  }

  std::vector<T> table(Weights weights) const {
    const auto rows = static_cast<std::size_t>(space_rows()), kept = static_cast<std::size_t>(kept_);
    std::vector<T> a(2 * kept * rows);
    for (std::size_t k = 0; k < kept; ++k)
      for (std::size_t x = 0; x < static_cast<std::size_t>(size_); ++x) {
        const auto turn = static_cast<std::size_t>(place(static_cast<int>(k))) * x % static_cast<std::size_t>(size_);
        const double angle = 2 * std::numbers::pi * static_cast<double>(turn) / size_;
        const T w = weight(static_cast<int>(k), weights);
        const T c = w * static_cast<T>(std::cos(angle)), s = w * static_cast<T>(std::sin(angle));
        T* re = a.data() + k * rows;
        T* im = a.data() + (kept + k) * rows;
        if (half_) {
          re[x] = c;
          im[x] = self_conjugate(static_cast<int>(k)) ? T(0) : -s;
        } else {
          re[2 * x] = im[2 * x + 1] = c;
          re[2 * x + 1] = s;
          im[2 * x] = -s;
        }
      }
    return a;
  }

  static LACUNA_INLINE Pack load(const T* from, std::ptrdiff_t some) {
    Pack pack = zero_pack<Pack>(T(0));
    if (some == lanes)
      std::memcpy(&pack, from, sizeof pack);
    else
      std::memcpy(&pack, from, static_cast<std::size_t>(some) * sizeof(T));
    return pack;
  }
  static LACUNA_INLINE void store(const Pack& pack, T* to, std::ptrdiff_t some) {
    if (some == lanes)
      std::memcpy(to, &pack, sizeof pack);
    else
      std::memcpy(to, &pack, static_cast<std::size_t>(some) * sizeof(T));
  }

  /// work(first column, columns, a, b) for every `lanes` columns, compiled for this machine.
  template <class Work>
  void in_lanes(std::ptrdiff_t width, T* workspace, const Work& work) const {
    auto* a = reinterpret_cast<Pack*>(workspace);
    Pack* b = a + fft_.buffer();
    simd::run([&]() LACUNA_KERNEL {
      for (std::ptrdiff_t j = 0; j < width; j += lanes) work(j, std::min(lanes, width - j), a, b);
    });
  }

  int size_, kept_ = 0;
  bool half_;
  AxisTransform transform_;
  std::vector<int> frequencies_;
  std::vector<T> table_[2];
  LaneFft<T> fft_;
};

}  // namespace lacuna::ops
