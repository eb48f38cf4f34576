#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "common/progress_bar.hpp"
#include "lacuna/data/field.hpp"
#include "lacuna/metrics/advection_error.hpp"
#include "lacuna/metrics/shallow_water_residual.hpp"
#include "lacuna/metrics/squared_error.hpp"
#include "lacuna/physics/advection.hpp"
#include "lacuna/physics/generate.hpp"
#include "lacuna/physics/shallow_water.hpp"
#include "lacuna/physics/turbulence.hpp"
#include "reproduce/settings.hpp"

namespace lacuna::experiment {

/// @brief Complete samples one after another, as frames of one record.
struct SampleSet {
  data::Fields truth;                           ///< (samples x T, H, W, V)
  int frames = 0;                               ///< T of each sample
  std::vector<std::vector<double>> parameters;  ///< of each sample, as its generator draws them

  int samples() const { return static_cast<int>(parameters.size()); }
};

/// Renames a file to a name beside it that is free, and gives that.
inline std::string put_aside(const std::string& path) {
  std::string aside = path + ".damaged";
  for (int i = 2; std::filesystem::exists(aside); ++i) aside = text(path, ".damaged-", i);
  std::filesystem::rename(path, aside);
  return aside;
}

/// @brief The file of a set's samples in a folder: made if it is not there, gone on with if it was left half made, and made anew,
/// with a word about it, if it is another set's; what is damaged or no file of samples is put aside before. A complete one is
/// only read, so that several programs can share it.
/// Throws: DataError, also where another program is writing the file.
inline physics::SampleFile make_samples(const std::string& set, const SetSettings& s, const std::filesystem::path& folder,
                                        int threads) {
  std::filesystem::create_directories(folder);
  const std::string path = (folder / text(set, "-", s.solver, "-", s.train + s.test, ".nc")).string();
  const auto samples = static_cast<std::size_t>(s.train + s.test);
  const auto make = [&](const auto& generator) {
    const auto description = generator.description();
    try {
      if (std::filesystem::exists(path) && physics::SampleFile::open(path, description, samples, 0).count_complete() == samples)
        return;
    } catch (const physics::OtherSamples&) {
      std::printf("%s: holds samples of another set or other settings; making it anew\n", path.c_str());
      std::filesystem::remove(path);
    } catch (const DataError& error) {
      if (!std::filesystem::is_regular_file(path) || data::netcdf::being_written(path)) throw;
      std::printf("%s; making it anew, what it was is kept as %s\n", error.what(), put_aside(path).c_str());
    }
    auto file = physics::SampleFile::open_or_create(path, description, samples, 0);
    common::ProgressBar progress;
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

/// @brief Means over c x c cells, whose coordinates count them; rows and columns that are left over are cut off. Throws:
/// OptionError where none is left.
inline data::Fields coarsen(const data::Fields& f, int c) {
  const int rows = f.grid.height() / c, columns = f.grid.width() / c;
  require<OptionError>(rows > 0 && columns > 0, "a grid of ", f.grid.height(), " x ", f.grid.width(),
                       " cells cannot be made coarser by ", c, " x ", c);
  data::Fields out{.grid = f.grid, .names = f.names, .time = f.time, .time_units = f.time_units, .values = {}};
  out.grid.y.resize(static_cast<std::size_t>(rows));
  out.grid.x.resize(static_cast<std::size_t>(columns));
  std::iota(out.grid.y.begin(), out.grid.y.end(), 0.0);
  std::iota(out.grid.x.begin(), out.grid.x.end(), 0.0);
  out.grid.periodic_x = f.grid.periodic_x && columns * c == f.grid.width();
  out.values.reserve(out.frame_size() * out.time.size());
  for (int t = 0; t < f.frames(); ++t)
    for (int y = 0; y < rows; ++y)
      for (int x = 0; x < columns; ++x)
        for (int v = 0; v < f.variables(); ++v) {
          double sum = 0;
          for (int dy = 0; dy < c; ++dy)
            for (int dx = 0; dx < c; ++dx) sum += static_cast<double>(f.at(t, y * c + dy, x * c + dx, v));
          out.values.push_back(static_cast<float>(sum / (c * c)));
        }
  return out;
}

/// @brief `count` samples from `first` on: their first `frames` frames, means over coarsen x coarsen cells.
inline SampleSet load_samples(const physics::SampleFile& file, int first, int count, const SetSettings& s) {
  const std::size_t variables = file.variables().size(), plane = file.height() * file.width();
  const auto frames = static_cast<std::size_t>(s.frames);
  require<OptionError>(frames <= file.frames(), "samples of ", file.frames(), " frames, asked for ", frames);
  data::Fields fine{.grid = {}, .names = file.variables(), .time = std::vector<double>(frames), .time_units = "", .values = {}};
  fine.grid.y.resize(file.height());
  fine.grid.x.resize(file.width());
  fine.values.resize(frames * plane * variables);
  SampleSet out{.truth = {}, .frames = s.frames, .parameters = {}};
  for (int i = first; i < first + count; ++i) {
    const physics::Sample sample = file.read(static_cast<std::size_t>(i));
    out.parameters.push_back(sample.parameters);
    for (std::size_t v = 0; v < variables; ++v)  // (V,T,H,W) -> (T,H,W,V)
      for (std::size_t p = 0; p < frames * plane; ++p)
        fine.values[p * variables + v] = static_cast<float>(sample.values[v * file.frames() * plane + p]);
    const data::Fields coarse = coarsen(fine, s.coarsen);
    if (out.truth.values.empty()) {
      out.truth = {.grid = coarse.grid, .names = coarse.names, .time = {}, .time_units = "", .values = {}};
      out.truth.values.reserve(static_cast<std::size_t>(count) * coarse.values.size());
    }
    for (std::size_t t = 0; t < frames; ++t) out.truth.time.push_back(static_cast<double>(out.truth.time.size()));
    out.truth.values.insert(out.truth.values.end(), coarse.values.begin(), coarse.values.end());
  }
  return out;
}

/// @brief Gives `count` samples from `first` on: those that are learned from come first, after them those to fill.
using SampleSource = std::function<SampleSet(int first, int count)>;

/// @brief The samples of a set that is made, in a folder (make_samples).
inline SampleSource made_samples(const std::string& set, const SetSettings& s, const std::filesystem::path& folder, int threads) {
  const auto file = std::make_shared<const physics::SampleFile>(make_samples(set, s, folder, threads));
  return [file, s](int first, int count) { return load_samples(*file, first, count, s); };
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
  double table = 0;    ///< kolmogorov and era5: mean squared, all positions, x 1e3 and x 1e2; shallow water: residual x 1e8;
                       ///< advection: simulation x 10
  double missing = 0;  ///< mean squared over missing positions of all variables, each in the data's own unit
};

/// filled: as the truth, observed values exact.
inline Errors errors_of(const std::string& name, const SampleSet& set, const std::vector<std::uint8_t>& observed,
                        const std::vector<float>& filled) {
  const auto& truth = set.truth;
  metrics::SquaredErrors squares;
  squares.add(std::span<const float>(filled), std::span<const float>(truth.values), std::span<const std::uint8_t>(observed));
  Errors out{squares.all() * (name == "era5" ? 1e2 : 1e3), squares.missing()};
  if (name == "kolmogorov" || name == "era5") return out;
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
