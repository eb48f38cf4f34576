#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <span>
#include <string>
#include <system_error>
#include <vector>

#include "lacuna/data/atomic_file.hpp"
#include "lacuna/data/checks.hpp"
#include "lacuna/data/netcdf.hpp"
#include "lacuna/data/netcdf_write.hpp"
#include "lacuna/fill/classical.hpp"
#include "lacuna/fill/impute.hpp"
#include "lacuna/fill/picture.hpp"

namespace lacuna::fill {

/// @brief Throws OptionError if two of the files to be written are one, however they are spelled.
inline void require_names_of_their_own(const std::vector<std::string>& paths) {
  std::vector<std::filesystem::path> seen;
  for (const auto& path : paths) {
    std::error_code failed;
    auto whole = std::filesystem::weakly_canonical(std::filesystem::absolute(path), failed);
    if (failed) whole = std::filesystem::absolute(path);
    require<OptionError>(std::find(seen.begin(), seen.end(), whole) == seen.end(), path,
                         ": output, report, picture and checkpoint need names of their own");
    seen.push_back(whole);
  }
}

/// @brief Checks everything that can be checked before work starts, so that no training is lost to a bad output path.
inline void check_outputs(const Options& o) {
  require<OptionError>(!o.output.empty(), "no output file: give -o OUT.nc");
  std::vector<std::string> paths;
  for (const auto& path : {o.output, o.report, o.picture})
    if (!path.empty()) paths.push_back(path);
  for (const auto& path : paths) data::require_writable_output(path, o.inputs, o.overwrite);
  validate(o);
  if (o.checkpoint.empty()) return require_names_of_their_own(paths);
  const std::filesystem::path folder(o.checkpoint);
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  require<DataError>(!failed && std::filesystem::is_directory(folder), "--checkpoint ", o.checkpoint,
                     ": cannot make this folder");
  const std::string state = (folder / Checkpoint::file_name).string(),
                    parameters = (folder / Checkpoint::parameters_name).string();
  const bool goes_on = o.resume && std::filesystem::exists(state);
  data::require_writable_output(state, o.inputs, o.overwrite || goes_on);
  data::require_writable_output(parameters, o.inputs, o.overwrite || goes_on);
  paths.insert(paths.end(), {state, parameters});
  require_names_of_their_own(paths);
}

/// @brief lacuna-fill: reads gappy variables, fills them and writes file, report and picture.
/// Throws: what impute() throws; DataError for files. Nothing that exists is replaced before all values are computed.
inline Report run(const Options& o) {
  check_outputs(o);
  const data::NetcdfInput input = data::read_netcdf_input(o.inputs, o.variables);
  data::require_gappy(
      input.fields, o.fill_static ? std::vector<std::uint8_t>(input.fields.frame_size(), 1) : live_cells(input.fields, o.window));
  std::printf("%d variables, %d frames of %d x %d%s\n", input.fields.variables(), input.fields.frames(),
              input.fields.grid.height(), input.fields.grid.width(),
              input.fields.grid.periodic_x ? ", periodic in longitude" : "");
  Result result = o.method == "diffusion" ? impute(input.fields, o) : fill_classical(input.fields, o);
  data::write_filled(input, {.values = result.filled.values, .spread = result.spread}, o.output,
                     {.overwrite = o.overwrite, .fill_never_observed = true, .history = data::history_line(o.command)});
  if (!o.picture.empty()) draw(input.fields, result, o.picture);
  result.report.peak_bytes = peak_memory();
  if (!o.report.empty()) {
    const std::string json = to_json(result.report).dump(2) + "\n";
    data::write_atomically(o.report, {std::as_bytes(std::span<const char>(json))});
  }
  print_scores(result.report, stdout);
  print_cost(result.report, stdout);
  std::printf("%s\n", o.output.c_str());
  return result.report;
}

}  // namespace lacuna::fill
