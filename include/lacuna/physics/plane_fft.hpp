#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <vector>

#include "lacuna/core/arena.hpp"
#include "lacuna/core/error.hpp"
#include "lacuna/core/simd.hpp"
#include "lacuna/ops/lane_fft.hpp"

namespace lacuna::physics {

/// @brief A square plane of complex numbers, (n, n) each for real and imaginary parts.
struct ComplexPlane {
  explicit ComplexPlane(int n) : re(static_cast<std::size_t>(n) * static_cast<std::size_t>(n)), im(re.size()) {}

  std::vector<double> re, im;
};

/// @brief Signed wavenumber of index i of n: 0, 1, ..., n/2 - 1, -n/2, ..., -1.
inline int wavenumber(int i, int n) { return 2 * i < n ? i : i - n; }

/// @brief Discrete Fourier transform of a periodic square plane in double, restricted to |wavenumber| <= band on both axes.
///
/// Shapes: space (n, n) row by row; spectrum (n, n) with the wavenumbers along y in rows, along x in columns, in the order of
/// wavenumber(). space(y, x) = sum_k spectrum(k) exp(2 pi i (k_y y + k_x x) / n); to_spectrum is the inverse (it divides by n^2).
/// Two real fields make one complex plane: their transforms are linear, so both go at once.
/// Entries outside the band are read as zero and written as zero; with band >= n/2 there are none.
/// NaN: spreads to the whole plane. Cost: 8 n^2 log2 n operations or so, less outside the band. Determinism: serial, fixed order.
/// Not thread-safe: it owns its workspace. Throws ShapeError unless n >= 2 and band >= 0.
class PlaneFft {
 public:
  explicit PlaneFft(int n) : PlaneFft(n, n) {}
  PlaneFft(int n, int band)
      : n_(n),
        band_(std::min(band, n / 2)),
        fft_(std::max(n, 1)),
        between_(std::max(n, 0)),
        memory_(2 * fft_.buffer() * sizeof(Pack) + 2 * Arena::alignment) {
    require<ShapeError>(n >= 2 && band >= 0, "plane transform: size ", n, " and band ", band, ", expected at least 2 and 0");
    low_ = std::min(band_ + 1, n);
    high_ = std::max(low_, n - band_);
    workspace_ = memory_.take_array<Pack>(2 * fft_.buffer());
  }

  int size() const { return n_; }
  int band() const { return band_; }
  /// Whether index i of an axis lies in the band.
  bool kept(int i) const { return i < low_ || i >= high_; }

  void to_space(const ComplexPlane& spectrum, ComplexPlane& space) {
    simd::run([&]() LACUNA_KERNEL {
      columns(spectrum, between_, 1.0, 1.0);
      for (int y = 0; y < n_; y += lanes) {
        const int rows = std::min(lanes, n_ - y);
        Pack *a = workspace_, *b = a + fft_.buffer();
        for (int x = 0; x < n_; ++x) {
          a[x] = kept(x) ? gather(between_.re, y, x, rows) : Pack{};
          a[n_ + x] = kept(x) ? gather(between_.im, y, x, rows) : Pack{};
        }
        const Pack* out = fft_.run(a, b, 1.0);
        for (int x = 0; x < n_; ++x) {
          scatter(out[x], space.re, y, x, rows);
          scatter(out[n_ + x], space.im, y, x, rows);
        }
      }
    });
  }

  void to_spectrum(const ComplexPlane& space, ComplexPlane& spectrum) {
    simd::run([&]() LACUNA_KERNEL {
      for (int y = 0; y < n_; y += lanes) {
        const int rows = std::min(lanes, n_ - y);
        Pack *a = workspace_, *b = a + fft_.buffer();
        for (int x = 0; x < n_; ++x) {
          a[x] = gather(space.re, y, x, rows);
          a[n_ + x] = gather(space.im, y, x, rows);
        }
        const Pack* out = fft_.run(a, b, -1.0);
        for (int x = 0; x < n_; ++x) {
          scatter(kept(x) ? out[x] : Pack{}, between_.re, y, x, rows);
          scatter(kept(x) ? out[n_ + x] : Pack{}, between_.im, y, x, rows);
        }
      }
      std::fill(spectrum.re.begin(), spectrum.re.end(), 0.0);
      std::fill(spectrum.im.begin(), spectrum.im.end(), 0.0);
      columns(between_, spectrum, -1.0, 1.0 / (static_cast<double>(n_) * n_));
    });
  }

 private:
  using Pack = ops::LanePack<double>::Type;
  static constexpr int lanes = ops::LanePack<double>::lanes;

  /// Transforms the kept columns along y, neighbours at once. Of a spectrum (sign 1) only kept rows are read, to a spectrum
  /// (sign -1) only kept rows are written.
  LACUNA_INLINE void columns(const ComplexPlane& from, ComplexPlane& to, double sign, double scale) {
    for (int x = 0; x < n_;) {
      const int end = x < low_ ? low_ : n_, count = std::min(lanes, end - x);
      Pack *a = workspace_, *b = a + fft_.buffer();
      for (int y = 0; y < n_; ++y) {
        const bool read = sign < 0 || kept(y);
        a[y] = read ? load(from.re.data() + at(y, x), count) : Pack{};
        a[n_ + y] = read ? load(from.im.data() + at(y, x), count) : Pack{};
      }
      const Pack* out = fft_.run(a, b, sign);
      for (int y = 0; y < n_; ++y) {
        if (sign < 0 && !kept(y)) continue;
        store(scale * out[y], to.re.data() + at(y, x), count);
        store(scale * out[n_ + y], to.im.data() + at(y, x), count);
      }
      x += count;
      if (x == low_) x = high_;
    }
  }

  LACUNA_INLINE std::size_t at(int y, int x) const {
    return static_cast<std::size_t>(y) * static_cast<std::size_t>(n_) + static_cast<std::size_t>(x);
  }
  static LACUNA_INLINE Pack load(const double* from, int count) {
    Pack pack{};
    if (count == lanes)
      std::memcpy(&pack, from, sizeof pack);
    else
      std::memcpy(&pack, from, static_cast<std::size_t>(count) * sizeof(double));
    return pack;
  }
  static LACUNA_INLINE void store(const Pack& pack, double* to, int count) {
    if (count == lanes)
      std::memcpy(to, &pack, sizeof pack);
    else
      std::memcpy(to, &pack, static_cast<std::size_t>(count) * sizeof(double));
  }
  /// Column x of a few rows: a lane a row.
  LACUNA_INLINE Pack gather(const std::vector<double>& from, int y, int x, int rows) const {
    Pack pack{};
    if (rows == lanes)  // known to the compiler, which keeps the pack in a register
      for (int r = 0; r < lanes; ++r) pack[r] = from[at(y + r, x)];
    else
      for (int r = 0; r < rows; ++r) pack[r] = from[at(y + r, x)];
    return pack;
  }
  LACUNA_INLINE void scatter(const Pack& pack, std::vector<double>& to, int y, int x, int rows) const {
    if (rows == lanes)
      for (int r = 0; r < lanes; ++r) to[at(y + r, x)] = pack[r];
    else
      for (int r = 0; r < rows; ++r) to[at(y + r, x)] = pack[r];
  }

  int n_, band_, low_ = 0, high_ = 0;
  ops::LaneFft<double> fft_;
  ComplexPlane between_;
  Arena memory_;  // aligned for vectors, which std::vector is not before AVX
  Pack* workspace_ = nullptr;
};

}  // namespace lacuna::physics
