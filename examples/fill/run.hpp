#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <new>
#include <span>
#include <string>
#include <vector>

#include "fill/methods.hpp"
#include "fill/observer.hpp"
#include "fill/options.hpp"
#include "fill/outputs.hpp"
#include "fill/picture.hpp"
#include "fill/report_output.hpp"
#include "lacuna/classical.hpp"
#include "lacuna/core/arena.hpp"
#include "lacuna/core/interruption.hpp"
#include "lacuna/core/parallel.hpp"
#include "lacuna/data/atomic_file.hpp"
#include "lacuna/data/checks.hpp"
#include "lacuna/data/file_lock.hpp"
#include "lacuna/data/netcdf.hpp"
#include "lacuna/data/netcdf_export.hpp"
#include "lacuna/data/netcdf_write.hpp"
#include "lacuna/model/resident_memory.hpp"
#include "lacuna/validation/holdout_split.hpp"

namespace lacuna::fill {

/// @brief The files of a run, locked against other runs while it lives; what dead runs left of them is removed.
inline std::vector<data::FileLock> lock_outputs(const Options& o) {
  std::vector<data::FileLock> locks;
  const auto lock = [&](const std::string& path) {
    locks.emplace_back(path);
    if (!locks.back().held())
      std::printf("%s: the file system has no locks: see to it that no other run writes it\n", path.c_str());
  };
  for (const auto& path : {o.output, o.report, o.picture})
    if (!path.empty()) lock(path);
  const std::filesystem::path& folder = o.settings.training.checkpoint.folder;
  for (const char* name : {model::Checkpoint::file_name, model::Checkpoint::parameters_name})
    if (!folder.empty()) lock((folder / name).string());
  return locks;
}

/// @brief Options with as many threads as there are. Says so where that is fewer than were asked for.
inline Options with_threads_there_are(Options o) {
  int& threads = o.settings.threads;
  const int used = usable_threads(threads);
  if (used < threads) std::printf("%d threads were asked for: %d are used, there are no more\n", threads, used);
  threads = used;
  return o;
}

/// @brief Writes what was computed under the first free name beside the output, where the output itself could not be written.
/// Returns the name.
inline std::string rescue(const Result& result, const std::string& output) {
  data::Fields all = result.filled;
  const std::size_t variables = all.names.size();
  for (std::size_t v = 0; v < variables; ++v) all.names.push_back(all.names[v] + "_spread");
  all.values.clear();
  for (std::size_t i = 0; i < result.filled.values.size(); i += variables) {
    for (std::size_t v = 0; v < variables; ++v) all.values.push_back(result.filled.values[i + v]);
    for (std::size_t v = 0; v < variables; ++v) all.values.push_back(result.spread[i + v]);
  }
  if (!all.affine.empty())
    for (std::size_t v = 0; v < variables; ++v) all.affine.push_back({0, all.affine[v].factor});
  std::string name;
  std::error_code failed;
  for (int number = 1; name.empty() || std::filesystem::exists(name, failed); ++number) name = text(output, ".rescued.", number);
  data::write_netcdf(name, all);
  return name;
}

/// @brief Writes a run's files one after another. One that fails does not keep the others from being written: its error is thrown
/// at the end, and what was computed is kept.
inline void write_outputs(const data::NetcdfInput& input, Result& result, const Options& o,
                          const data::NetcdfWriteOptions& writing) {
  std::string failed;
  const auto words = [](const std::string& path, const std::exception& error) {
    return dynamic_cast<const std::bad_alloc*>(&error) ? path + ": out of memory while it was written"
                                                       : std::string(error.what());
  };
  const auto attempt = [&](const std::string& path, const auto& write) {
    try {
      write();
    } catch (const std::exception& error) {
      failed += text(failed.empty() ? "" : "; ", words(path, error));
    }
  };
  attempt(o.output, [&] {
    try {
      data::write_filled(input, {.values = result.filled.values, .spread = result.spread}, o.output, writing);
    } catch (const std::exception& error) {
      const std::string why = words(o.output, error);
      std::string kept;
      try {
        kept = rescue(result, o.output);
      } catch (const std::exception&) {
        throw DataError(why);
      }
      throw DataError(text(why, "; what was computed is kept in ", kept));
    }
  });
  result.report.peak_bytes = model::peak_memory();
  const auto existing = o.overwrite ? data::Existing::replaced : data::Existing::kept;
  if (!o.report.empty())
    attempt(o.report, [&] {
      const std::string json = to_json(result.report).dump(2) + "\n";
      data::write_atomically(o.report, {std::as_bytes(std::span<const char>(json))}, existing);
    });
  if (!o.picture.empty()) attempt(o.picture, [&] { draw(input.fields, result, o.picture, existing); });
  require<DataError>(failed.empty(), failed);
}

/// @brief lacuna-fill: reads gappy variables, fills them and writes file, report and picture.
/// imputer(fields, settings, observer): impute() on some device; fills by the diffusion model.
/// Throws: what impute() throws, in the words of the command line; DataError for files. Nothing that exists is replaced before
/// all values are computed.
template <class Imputer>
model::Report run(const Options& asked, const Imputer& imputer) {
  const Options o = with_threads_there_are(asked);
  check_outputs(o);
  const auto locks = lock_outputs(o);
  std::error_code absent;
  const auto& checkpoint = o.settings.training.checkpoint;
  const bool kept = checkpoint.resume && std::filesystem::exists(checkpoint.folder / model::Checkpoint::file_name, absent);
  Interruption::advise(kept ? "with --resume it goes on from " + checkpoint.folder.string()
                            : "nothing was computed yet that could be kept");
  RunObserver observer(!checkpoint.folder.empty());
  std::string stage = "reading the input";
  try {
    const data::NetcdfInput input = data::read_netcdf_input(o.inputs, o.variables);
    const data::Fields& fields = input.fields;
    stage = text("filling ", fields.values.size(), " values (", fields.values.size() * sizeof(float) / 1000000,
                 " MB as they are read)");
    data::require_gappy(fields, o.settings.fill_static ? std::vector<std::uint8_t>(fields.frame_size(), 1)
                                                       : validation::live_cells(fields, o.settings.window));
    const data::NetcdfWriteOptions writing{
        .overwrite = o.overwrite, .fill_never_observed = true, .history = data::history_line(o.command)};
    data::require_writable(input, o.output, writing);
    std::printf("%d variables, %d frames of %d x %d%s\n", fields.variables(), fields.frames(), fields.grid.height(),
                fields.grid.width(), fields.grid.periodic_x ? ", periodic in longitude" : "");
    for (const std::string& name : data::replaced_variables(input))
      std::printf("%s of the input is replaced by this run's own\n", name.c_str());
    Result result = o.method == "diffusion" ? imputer(fields, o.settings, observer)
                                            : fill_classical(fields, find_method(o.method), o.settings, observer);
    stage = "writing the output";
    write_outputs(input, result, o, writing);
    print_scores(result.report, stdout);
    print_cost(result.report, stdout);
    std::printf("%s\n", o.output.c_str());
    return result.report;
  } catch (const Stopped& stopped) {
    throw observer.interrupted(stopped);
  } catch (const OptionError& error) {
    throw OptionError(in_options(error.what()));
  } catch (const ArenaFull& error) {
    throw ArenaFull(in_options(error.what()));
  } catch (const std::bad_alloc&) {
    throw Error(text("out of memory while ", stage, ", with ", model::peak_memory() / 1000000, " MB taken",
                     stage.starts_with("filling") ? "; --memory SIZE says which settings take less" : ""));
  }
}

}  // namespace lacuna::fill
