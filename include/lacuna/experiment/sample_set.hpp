#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "lacuna/core/progress.hpp"
#include "lacuna/data/field.hpp"
#include "lacuna/experiment/settings.hpp"
#include "lacuna/metrics/advection_error.hpp"
#include "lacuna/metrics/shallow_water_residual.hpp"
#include "lacuna/metrics/squared_error.hpp"
#include "lacuna/physics/advection.hpp"
#include "lacuna/physics/generate.hpp"
#include "lacuna/physics/shallow_water.hpp"
#include "lacuna/physics/turbulence.hpp"

namespace lacuna::experiment {

/// @brief Complete samples one after another, as frames of one record.
struct SampleSet {
  data::Fields truth;                           ///< (samples x T, H, W, V)
  int frames = 0;                               ///< T of each sample
  std::vector<std::vector<double>> parameters;  ///< of each sample, as its generator draws them

  int samples() const { return static_cast<int>(parameters.size()); }
};

/// @brief The file of a set's samples in a folder: made if it is not there, gone on with if it was left half made, and made anew,
/// with a word about it, if it is another set's. Throws: DataError; what is no file of samples, or is being written by another
/// program, stays as it is.
inline physics::SampleFile make_samples(const std::string& set, const SetSettings& s, const std::filesystem::path& folder,
                                        int threads) {
  std::filesystem::create_directories(folder);
  const std::string path = (folder / text(set, "-", s.solver, "-", s.train + s.test, ".nc")).string();
  const auto samples = static_cast<std::size_t>(s.train + s.test);
  const auto make = [&](const auto& generator) {
    const auto open = [&] { return physics::SampleFile::open_or_create(path, generator.description(), samples, 0); };
    auto file = [&] {
      try {
        return open();
      } catch (const physics::OtherSamples& error) {
        std::printf("%s\nmaking it anew\n", error.what());
        std::filesystem::remove(path);
        return open();
      }
    }();
    Progress progress;
    physics::generate(generator, file, {.seed = 0, .threads = threads, .progress = [&](std::size_t made, std::size_t all) {
                                          progress.show(set.c_str(), static_cast<double>(made) / static_cast<double>(all));
                                        }});
    file.close();
  };
  if (set == "advection") {
    make(physics::Advection({.size = s.solver}));
  } else if (set == "shallow-water") {
    make(physics::ShallowWater({.size = s.solver}));
  } else {
    require<OptionError>(set == "kolmogorov", "set ", set, ": expected kolmogorov, shallow-water or advection");
    make(physics::Turbulence(physics::kolmogorov(s.solver)));
  }
  return physics::SampleFile(path);
}

/// @brief `count` samples from `first` on: their first `frames` frames, means over coarsen x coarsen cells.
inline SampleSet load_samples(const physics::SampleFile& file, int first, int count, const SetSettings& s) {
  const auto c = static_cast<std::size_t>(s.coarsen);
  const std::size_t variables = file.variables().size(), rows = file.height() / c, columns = file.width() / c;
  const auto frames = static_cast<std::size_t>(s.frames);
  require<OptionError>(frames <= file.frames() && rows > 0 && columns > 0, "samples of ", file.frames(), " frames of ",
                       file.height(), " x ", file.width(), ", asked for ", frames, " frames of cells ", c, " x ", c);
  SampleSet out{.truth = {}, .frames = s.frames, .parameters = {}};
  out.truth.names = file.variables();
  for (std::size_t y = 0; y < rows; ++y) out.truth.grid.y.push_back(static_cast<double>(y));
  for (std::size_t x = 0; x < columns; ++x) out.truth.grid.x.push_back(static_cast<double>(x));
  out.truth.values.reserve(static_cast<std::size_t>(count) * frames * rows * columns * variables);
  for (int i = first; i < first + count; ++i) {
    const physics::Sample sample = file.read(static_cast<std::size_t>(i));
    out.parameters.push_back(sample.parameters);
    const std::size_t plane = file.height() * file.width();
    for (std::size_t t = 0; t < frames; ++t) {
      out.truth.time.push_back(static_cast<double>(out.truth.time.size()));
      for (std::size_t y = 0; y < rows; ++y)
        for (std::size_t x = 0; x < columns; ++x)
          for (std::size_t v = 0; v < variables; ++v) {
            const double* from = sample.values.data() + (v * file.frames() + t) * plane;
            double sum = 0;
            for (std::size_t dy = 0; dy < c; ++dy)
              for (std::size_t dx = 0; dx < c; ++dx) sum += from[(y * c + dy) * file.width() + x * c + dx];
            out.truth.values.push_back(static_cast<float>(sum / static_cast<double>(c * c)));
          }
    }
  }
  return out;
}

/// @brief A mask (T x samples, H, W, V) for samples whose frames and variables share it: masks (samples, H, W).
inline std::vector<std::uint8_t> share_masks(const SampleSet& set, const std::vector<std::uint8_t>& masks) {
  const auto cells = static_cast<std::size_t>(set.truth.grid.cells()), variables = set.truth.names.size();
  std::vector<std::uint8_t> out;
  out.reserve(set.truth.values.size());
  for (std::size_t i = 0; i < static_cast<std::size_t>(set.samples()); ++i)
    for (int t = 0; t < set.frames; ++t)
      for (std::size_t c = 0; c < cells; ++c) out.insert(out.end(), variables, masks[i * cells + c]);
  return out;
}

/// @brief The error that the paper's tables give of a set, in their units, and the plain one over missing values.
struct Errors {
  double table =
      0;  ///< kolmogorov: mean squared, all positions, x 1e3; shallow water: residual x 1e8; advection: simulation x 10
  double missing = 0;  ///< mean squared over missing positions, in the data's units
};

/// filled: as the truth, observed values exact.
inline Errors errors_of(const std::string& name, const SampleSet& set, const std::vector<std::uint8_t>& observed,
                        const std::vector<float>& filled) {
  const auto& truth = set.truth;
  metrics::SquaredErrors squares;
  squares.add(std::span<const float>(filled), std::span<const float>(truth.values), std::span<const std::uint8_t>(observed));
  Errors out{squares.all() * 1e3, squares.missing()};
  if (name == "kolmogorov") return out;
  const auto cells = static_cast<std::size_t>(truth.grid.cells()), variables = truth.names.size();
  const auto frames = static_cast<std::size_t>(set.frames), size = frames * cells * variables;
  out.table = 0;
  std::vector<double> values(size);
  const auto gather = [&](const std::vector<float>& from, std::size_t sample) {  // (T,H,W,V) -> (V,T,H,W)
    for (std::size_t v = 0; v < variables; ++v)
      for (std::size_t i = 0; i < frames * cells; ++i)
        values[v * frames * cells + i] = static_cast<double>(from[sample * size + i * variables + v]);
  };
  const int n = truth.grid.width();
  for (std::size_t i = 0; i < set.parameters.size(); ++i) {
    const auto& drawn = set.parameters[i];
    gather(filled, i);
    if (name == "shallow-water") {
      const auto scheme = physics::ShallowWater().scheme(drawn[0], drawn[1]);
      out.table += metrics::shallow_water_residual(values, set.frames, n, scheme) / metrics::residual_unit;
    } else {
      const std::vector<double> initial(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(cells));
      gather(truth.values, i);
      auto times = physics::Advection({.size = n}).description().time;
      times.resize(frames);
      out.table += 10 * metrics::advection_error(initial, values, n, {drawn[0], drawn[1]}, times);
    }
  }
  out.table /= static_cast<double>(set.samples());
  return out;
}

}  // namespace lacuna::experiment
