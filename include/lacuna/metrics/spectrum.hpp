#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include "lacuna/core/error.hpp"
#include "lacuna/physics/plane_fft.hpp"

namespace lacuna::metrics {

/// @brief What is summed in the shells of a spectrum.
enum class Spectrum {
  variance,               ///< |f(k)|^2: adds up to the mean of f^2 (without shells beyond n/2)
  energy_from_vorticity,  ///< |omega(k)|^2 / (2 |k|^2), the kinetic energy on a square of side 2 pi; nothing at k = 0
};

/// @brief Radial spectra of periodic square planes, averaged over all that were added: E(s) is the sum over the wavevectors with
/// s - 1/2 <= |k| < s + 1/2 (in cycles per side), for the shells s = 0, ..., n/2. f(k) = mean over x of f(x) exp(-i k . x).
class RadialSpectrum {
 public:
  RadialSpectrum(int n, Spectrum kind) : kind_(kind), fft_(n), space_(n), modes_(n), sums_(static_cast<std::size_t>(n / 2) + 1) {}

  /// `planes`: any number of (n, n). NaN: gives NaN everywhere. Throws ShapeError if the size does not fit.
  void add(std::span<const double> planes) {
    const std::size_t cells = space_.re.size();
    require<ShapeError>(!planes.empty() && planes.size() % cells == 0, "radial spectrum: ", planes.size(),
                        " values, expected planes of ", fft_.size(), " x ", fft_.size());
    for (; !planes.empty(); planes = planes.subspan(cells)) {
      std::copy_n(planes.begin(), cells, space_.re.begin());
      fft_.to_spectrum(space_, modes_);
      ++count_;
      const int n = fft_.size();
      for (int y = 0, at = 0; y < n; ++y)
        for (int x = 0; x < n; ++x, ++at) {
          const double k = std::hypot(physics::wavenumber(y, n), physics::wavenumber(x, n));
          const auto shell = static_cast<std::size_t>(std::floor(k + 0.5)), i = static_cast<std::size_t>(at);
          if (shell >= sums_.size()) continue;
          const double square = modes_.re[i] * modes_.re[i] + modes_.im[i] * modes_.im[i];
          sums_[shell] += kind_ == Spectrum::variance ? square : k > 0 ? square / (2 * k * k) : 0.0;
        }
    }
  }

  /// E(0), ..., E(n/2). Throws DataError if nothing was added.
  std::vector<double> mean() const {
    require<DataError>(count_ > 0, "radial spectrum: no plane was added");
    std::vector<double> out = sums_;
    for (double& e : out) e /= static_cast<double>(count_);
    return out;
  }

 private:
  Spectrum kind_;
  physics::PlaneFft fft_;
  physics::ComplexPlane space_, modes_;
  std::vector<double> sums_;
  std::size_t count_ = 0;
};

/// @brief Log-spectral distance of two spectra in decibels: sqrt(mean over shells s >= 1 of (10 log10(E(s) / E_true(s)))^2).
///
/// Shells in which the truth has less than 1e-12 of its largest shell are left out, since they hold rounding; below that floor a
/// tested value counts as the floor, so that the distance stays finite. 0 if equal; 3 dB are a factor of two throughout.
/// NaN in a shell from 1 on: gives NaN. Throws: ShapeError unless both have the same two or more shells, DataError if the truth
/// has no energy.
inline double log_spectral_distance(std::span<const double> tested, std::span<const double> truth) {
  require<ShapeError>(tested.size() == truth.size() && truth.size() >= 2, "log-spectral distance: ", tested.size(), " and ",
                      truth.size(), " shells, expected equal numbers of at least 2");
  const auto is_nan = [](double e) { return std::isnan(e); };
  if (std::any_of(tested.begin() + 1, tested.end(), is_nan) || std::any_of(truth.begin() + 1, truth.end(), is_nan))
    return std::nan("");
  const double floor = 1e-12 * *std::max_element(truth.begin() + 1, truth.end());
  require<DataError>(floor > 0, "log-spectral distance: the true spectrum is empty");
  double sum = 0;
  int shells = 0;
  for (std::size_t s = 1; s < truth.size(); ++s) {
    if (truth[s] < floor) continue;
    const double decibels = 10 * std::log10((tested[s] < floor ? floor : tested[s]) / truth[s]);
    sum += decibels * decibels;
    ++shells;
  }
  return std::sqrt(sum / shells);
}

}  // namespace lacuna::metrics
