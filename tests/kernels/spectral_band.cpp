#include "spectral_band.cuh"

#include "catch.hpp"
#include "cuda_emulation/buffer.hpp"
#include "kernels/orders.hpp"
#include "support/compare.hpp"
#include "support/fill.hpp"
#include "support/tolerances.hpp"

using namespace lacuna;
using cuda_emulation::Buffer;

namespace {

constexpr kernels::BandScales scales{0.5f, 1.5f};

/// The plain versions, mode by mode and frequency by frequency.
struct Plain {
  kernels::SpectralBand band;

  /// Frequencies that are kept along a whole axis, in the order of its modes.
  static int frequency(unsigned mode, unsigned kept) { return static_cast<int>(mode) - static_cast<int>(kept / 2); }
  std::size_t at(int t, int h, unsigned w, unsigned c) const {
    const auto wrapped = [](int f, unsigned n) { return static_cast<unsigned>(f < 0 ? f + static_cast<int>(n) : f); };
    return ((std::size_t{wrapped(t, band.frames)} * band.height + wrapped(h, band.height)) * (band.width / 2 + 1) + w) *
               band.channels +
           c;
  }
  bool alone(unsigned w) const { return w == 0 || 2 * w == band.width; }

  /// visit(index among the modes, t, h, w, channel).
  template <class Visit>
  void for_modes(const Visit& visit) const {
    std::size_t i = 0;
    for (unsigned t = 0; t < band.kept_frames; ++t)
      for (unsigned h = 0; h < band.kept_height; ++h)
        for (unsigned w = 0; w < band.kept_width; ++w)
          for (unsigned c = 0; c < band.channels; ++c)
            visit(i++, frequency(t, band.kept_frames), frequency(h, band.kept_height), w, c);
  }
  std::vector<float> crop(const std::vector<float>& all) const {
    const std::size_t n = band.modes() * band.channels;
    std::vector<float> spectrum(2 * n);
    for_modes([&](std::size_t i, int t, int h, unsigned w, unsigned c) {
      const float scale = alone(w) ? scales.alone : scales.paired;
      spectrum[i] = scale * all[2 * at(t, h, w, c)];
      spectrum[n + i] = scale * all[2 * at(t, h, w, c) + 1];
    });
    return spectrum;
  }
  std::vector<float> pad(const std::vector<float>& spectrum) const {
    const std::size_t n = band.modes() * band.channels;
    std::vector<float> all(2 * band.frequencies() * band.channels, 0.0f);
    const auto add = [&](std::size_t to, float re, float im) {
      all[2 * to] += re;
      all[2 * to + 1] += im;
    };
    for_modes([&](std::size_t i, int t, int h, unsigned w, unsigned c) {
      const float scale = alone(w) ? scales.alone : scales.paired, re = scale * spectrum[i], im = scale * spectrum[n + i];
      add(at(t, h, w, c), re, im);
      const auto mirrored = [](int f, unsigned cells) { return f == 0 || 2 * f == -static_cast<int>(cells) ? f : -f; };
      if (alone(w)) add(at(mirrored(t, band.frames), mirrored(h, band.height), w, c), re, -im);
    });
    return all;
  }
};

}  // namespace

TEST_CASE("Spectral band kernels: modes are dropped and put back as plain loops do, for even and odd grids, in every order") {
  for (const kernels::SpectralBand& band :
       {kernels::SpectralBand{1, 1, 2, 1, 1, 2, 1}, kernels::SpectralBand{1, 6, 8, 1, 6, 5, 4},
        kernels::SpectralBand{1, 7, 9, 1, 3, 4, 3}, kernels::SpectralBand{4, 6, 10, 3, 4, 3, 8},
        kernels::SpectralBand{5, 5, 6, 5, 5, 4, 5}, kernels::SpectralBand{4, 33, 34, 2, 33, 18, 12}}) {
    const Plain plain{band};
    const auto all = test::normals<float>(2 * band.frequencies() * band.channels, 1),
               spectrum = test::normals<float>(2 * band.modes() * band.channels, 2);
    const auto cropped = plain.crop(all), padded = plain.pad(spectrum);
    for (const std::size_t offset : {0u, 1u})
      test::in_every_order([&] {
        INFO(band.frames << " x " << band.height << " x " << band.width << " cells, offset " << offset);
        const Buffer<float> from(all, offset), kept(cropped.size(), offset), modes(spectrum, offset), to(all.size(), offset);
        kernels::crop_modes({}, from, band, scales, kept);
        kernels::pad_modes({}, modes, band, scales, to);
        CHECK((kept.intact() && to.intact()));
        CHECK(kept.content() == cropped);
        CHECK(test::relative_difference(to.content(), padded) < test::tolerance::kernel);
      });
  }
}

TEST_CASE("Spectral band kernels: NaN stays in its number and its conjugate, what is dropped may be NaN") {
  const kernels::SpectralBand band{1, 7, 9, 1, 3, 3, 2};
  std::vector<float> all(2 * band.frequencies() * band.channels, test::nan<float>);
  auto spectrum = test::normals<float>(2 * band.modes() * band.channels, 2);
  const Buffer<float> modes(spectrum), padded(all.size());
  kernels::pad_modes({}, modes, band, scales, padded);
  const auto clean = padded.content();
  const auto kept = Plain{band}.pad(std::vector<float>(spectrum.size(), 1.0f));
  for (std::size_t i = 0; i < all.size(); ++i)
    if (kept[i - i % 2] != 0) all[i] = 1.0f;
  const Buffer<float> from(all), cropped(spectrum.size());
  kernels::crop_modes({}, from, band, scales, cropped);
  for (const float v : cropped.content()) CHECK(std::isfinite(v));
  spectrum[0] = test::nan<float>;  // frequency -1 along H, 0 along W: channel 0
  const Buffer<float> spoilt(spectrum), to(all.size());
  kernels::pad_modes({}, spoilt, band, scales, to);
  const Plain plain{band};
  for (std::size_t i = 0; i < all.size(); ++i) {
    const bool touched = i == 2 * plain.at(0, -1, 0, 0) || i == 2 * plain.at(0, 1, 0, 0);
    CHECK((touched ? std::isnan(to[i]) : to[i] == clean[i]));
  }
}
