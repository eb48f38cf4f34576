#pragma once

#include <cmath>
#include <cstddef>
#include <numbers>
#include <utility>
#include <vector>

#include "lacuna/core/simd.hpp"

namespace lacuna::ops {

/// @brief One number, or a vector of neighbouring channels, on its way through a Fourier transform.
template <class T>
struct LanePack {
  using Type = T;
  static constexpr int lanes = 1;
};
template <>
struct LanePack<float> {
  using Type = simd::Floats;
  static constexpr int lanes = simd::lanes;
};
template <>
struct LanePack<double> {
  using Type = double __attribute__((vector_size(32)));
  static constexpr int lanes = 4;
};

/// @brief All lanes 0 (simd::zero() says why not Pack{}).
template <class Pack, class T>
LACUNA_INLINE Pack zero_pack(T zero) {
  return Pack{} + zero;
}

/// @brief Complex discrete Fourier transform of any length, of `lanes` neighbouring columns at once: with channels last, a vector
/// holds the same cell of sixteen channels, and no step of the transform crosses its lanes.
///
/// Stockham's self-sorting form, one pass per factor of the length (fours first, then primes); a prime factor p above 2 costs p
/// terms per element and pass. Determinism: fixed order. Source: Stockham 1966; Van Loan 1992, Computational Frameworks for the
/// FFT, 1.7.
template <class T>
class LaneFft {
 public:
  using Pack = typename LanePack<T>::Type;

  explicit LaneFft(int length) : length_(length) {
    int rest = length;
    for (; rest % 4 == 0; rest /= 4) factors_.push_back(4);
    for (int f = 2; rest > 1; rest % f == 0 ? static_cast<void>(rest /= f) : static_cast<void>(++f))
      if (rest % f == 0) factors_.push_back(f);
    for (int k = 0; k < length; ++k) {
      const double angle = 2 * std::numbers::pi * k / length;
      cosines_.push_back(static_cast<T>(std::cos(angle)));
      sines_.push_back(static_cast<T>(std::sin(angle)));
    }
  }

  /// What the transform costs, in modes of a product with the whole DFT's matrix (4 n multiplications a mode and column).
  /// Measured on 32 to 512 cells of 128 float columns with AVX2: 0.4 a unit of the factors 4 and 2, 4.7 a unit of the others.
  static double cost(int length) {
    double sum = 0;
    for (; length % 4 == 0; length /= 4) sum += 0.4 * 4;
    for (; length % 2 == 0; length /= 2) sum += 0.4 * 2;
    for (int f = 3; length > 1; ++f)
      for (; length % f == 0; length /= f) sum += 4.7 * f;
    return sum;
  }

  /// Packs of each of the two buffers that run() takes.
  std::size_t buffer() const { return 2 * static_cast<std::size_t>(length_); }

  /// out_k = sum_x exp(sign 2 pi i k x / n) in_x. `a` holds the input, real parts then imaginary parts, (2, n) packs; returns
  /// whichever of a and b holds the result.
  LACUNA_INLINE Pack* run(Pack* a, Pack* b, T sign) const {
    int n = length_, stride = 1;
    for (const int radix : factors_) {
      pass(a, b, n, stride, radix, sign);
      std::swap(a, b);
      n /= radix;
      stride *= radix;
    }
    return a;
  }

 private:
  struct Complex {
    Pack re, im;
  };
  static LACUNA_INLINE Complex at(const Pack* x, const Pack* x_im, int i) { return {x[i], x_im[i]}; }
  static LACUNA_INLINE Complex plus(const Complex& a, const Complex& b) { return {a.re + b.re, a.im + b.im}; }
  static LACUNA_INLINE Complex minus(const Complex& a, const Complex& b) { return {a.re - b.re, a.im - b.im}; }
  /// a times i sign.
  static LACUNA_INLINE Complex turn(const Complex& a, T sign) { return {-sign * a.im, sign * a.re}; }
  /// a times c + i s.
  static LACUNA_INLINE Complex times(const Complex& a, T c, T s) { return {c * a.re - s * a.im, c * a.im + s * a.re}; }

  /// One pass of radix r over sequences of length n = r m: y[q + s (r p + v)] = sum_u w^(v (p + m u)) x[q + s (p + m u)].
  LACUNA_INLINE void pass(const Pack* x, Pack* y, int n, int stride, int radix, T sign) const {
    if (radix == 4) return pass_of_four(x, y, n, stride, sign);
    if (radix == 2) return pass_of_two(x, y, n, stride, sign);
    const int m = n / radix, step = length_ / n;
    const Pack* x_im = x + length_;
    Pack* y_im = y + length_;
    for (int p = 0; p < m; ++p)
      for (int v = 0; v < radix; ++v)
        for (int q = 0; q < stride; ++q) {
          Complex sum{zero_pack<Pack>(T(0)), zero_pack<Pack>(T(0))};
          for (int u = 0, power = v * p % n; u < radix; ++u, power = (power + v * m) % n) {
            const auto [c, s] = root(power * step, sign);
            sum = plus(sum, times(at(x, x_im, q + stride * (p + m * u)), c, s));
          }
          y[q + stride * (radix * p + v)] = sum.re;
          y_im[q + stride * (radix * p + v)] = sum.im;
        }
  }

  /// The same for r = 4, whose inner roots are 1, i, -1 and -i: three multiplications for four results.
  LACUNA_INLINE void pass_of_four(const Pack* x, Pack* y, int n, int stride, T sign) const {
    const int m = n / 4, step = length_ / n;
    const Pack* x_im = x + length_;
    Pack* y_im = y + length_;
    const auto put = [&](int i, const Complex& value) LACUNA_KERNEL {
      y[i] = value.re;
      y_im[i] = value.im;
    };
    for (int p = 0; p < m; ++p) {
      const auto [c1, s1] = root(p * step, sign);
      const auto [c2, s2] = root(2 * p * step, sign);
      const auto [c3, s3] = root(3 * p * step, sign);
      for (int q = 0; q < stride; ++q) {
        const int from = q + stride * p, to = q + stride * 4 * p;
        const Complex a = at(x, x_im, from), b = at(x, x_im, from + stride * m), c = at(x, x_im, from + 2 * stride * m),
                      d = at(x, x_im, from + 3 * stride * m);
        const Complex even = plus(a, c), odd = plus(b, d), across = minus(a, c), turned = turn(minus(b, d), sign);
        put(to, plus(even, odd));
        put(to + stride, times(plus(across, turned), c1, s1));
        put(to + 2 * stride, times(minus(even, odd), c2, s2));
        put(to + 3 * stride, times(minus(across, turned), c3, s3));
      }
    }
  }

  /// The same for r = 2: one multiplication for two results.
  LACUNA_INLINE void pass_of_two(const Pack* x, Pack* y, int n, int stride, T sign) const {
    const int m = n / 2, step = length_ / n;
    const Pack* x_im = x + length_;
    Pack* y_im = y + length_;
    for (int p = 0; p < m; ++p) {
      const auto [c, s] = root(p * step, sign);
      for (int q = 0; q < stride; ++q) {
        const int to = q + stride * 2 * p;
        const Complex a = at(x, x_im, q + stride * p), b = at(x, x_im, q + stride * (p + m));
        const Complex sum = plus(a, b), difference = times(minus(a, b), c, s);
        y[to] = sum.re;
        y_im[to] = sum.im;
        y[to + stride] = difference.re;
        y_im[to + stride] = difference.im;
      }
    }
  }

  struct Root {
    T c, s;
  };
  /// exp(sign 2 pi i k / length) for 0 <= k < length.
  LACUNA_INLINE Root root(int k, T sign) const {
    return {cosines_[static_cast<std::size_t>(k)], sign * sines_[static_cast<std::size_t>(k)]};
  }

  int length_;
  std::vector<int> factors_;
  std::vector<T> cosines_, sines_;
};

}  // namespace lacuna::ops
