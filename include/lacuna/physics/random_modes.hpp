#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

#include "lacuna/core/philox.hpp"
#include "lacuna/physics/plane_fft.hpp"

namespace lacuna::physics {

/// @brief Fourier coefficients of a real Gaussian random field without mean: white noise filtered by amplitude(k), where k is the
/// length of the wavevector (in cycles per domain), and zero where |k_x| or |k_y| is above `band`.
///
/// Half of the squared amplitude falls to the real and half to the imaginary part. A mode's number depends on the stream and
/// its wavevector alone, so a larger n shows the same field in finer detail.
/// Throws ShapeError unless 2 band < n.
template <class Amplitude>
ComplexPlane random_modes(int n, int band, const Amplitude& amplitude, PhiloxKey key, std::uint64_t sample) {
  require<ShapeError>(band >= 1 && 2 * band < n, "random modes: band ", band, " on ", n, " points, expected 1 to ", (n - 1) / 2);
  ComplexPlane out(n);
  for (int ky = 0; ky <= band; ++ky)
    for (int kx = -band; kx <= band; ++kx) {
      if (ky == 0 && kx <= 0) continue;  // the partners of modes that are drawn, and the mean
      const auto position = static_cast<std::uint64_t>(ky) << 32 | static_cast<std::uint32_t>(kx);
      const auto noise = normals(philox(key, sample, position));
      const double scale = amplitude(std::hypot(ky, kx)) / std::numbers::sqrt2;
      const double re = scale * static_cast<double>(noise[0]), im = scale * static_cast<double>(noise[1]);
      const auto here = static_cast<std::size_t>(ky * n + (kx + n) % n);
      const auto partner = static_cast<std::size_t>((n - ky) % n * n + (n - kx) % n);
      out.re[here] = out.re[partner] = re;
      out.im[here] = im;
      out.im[partner] = -im;
    }
  return out;
}

}  // namespace lacuna::physics
