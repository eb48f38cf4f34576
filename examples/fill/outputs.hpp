#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "fill/options.hpp"
#include "lacuna/data/checks.hpp"
#include "lacuna/data/netcdf_write.hpp"
#include "lacuna/model/checkpoint.hpp"

namespace lacuna::fill {

/// @brief A path without links, "." and "..", as far as it exists.
inline std::filesystem::path plain_path(const std::filesystem::path& path) {
  std::error_code failed;
  auto whole = std::filesystem::weakly_canonical(std::filesystem::absolute(path), failed);
  if (failed) whole = std::filesystem::absolute(path).lexically_normal();
  return whole.filename().empty() ? whole.parent_path() : whole;
}

/// @brief Throws OptionError if two of the files to be written are one, however they are spelled.
inline void require_names_of_their_own(const std::vector<std::string>& paths) {
  std::vector<std::filesystem::path> seen;
  for (const auto& path : paths) {
    const auto whole = plain_path(path);
    require<OptionError>(std::find(seen.begin(), seen.end(), whole) == seen.end(), path,
                         ": output, report, picture and checkpoint need names of their own");
    seen.push_back(whole);
  }
}

/// @brief Whether `path` is `folder`, or lies in it.
inline bool lies_in(const std::filesystem::path& path, const std::filesystem::path& folder) {
  const auto inner = plain_path(path), outer = plain_path(folder);
  return std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end()).first == outer.end();
}

/// @brief Makes the folder of a checkpoint and checks that its files may be written.
inline void check_checkpoint(const Options& o, std::vector<std::string>& paths) {
  const std::filesystem::path& folder = o.settings.training.checkpoint.folder;
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  require<DataError>(!failed && std::filesystem::is_directory(folder, failed), "--checkpoint ", folder.string(),
                     ": cannot make this folder");
  const std::string state = (folder / model::Checkpoint::file_name).string(),
                    parameters = (folder / model::Checkpoint::parameters_name).string();
  const bool goes_on = o.settings.training.checkpoint.resume && std::filesystem::exists(state, failed);
  data::require_writable_output(state, o.inputs, o.overwrite || goes_on);
  data::require_writable_output(parameters, o.inputs, o.overwrite || goes_on);
  paths.insert(paths.end(), {state, parameters});
}

/// @brief Checks everything that can be checked before work starts, so that no training is lost to a bad output path.
inline void check_outputs(const Options& o) {
  require<OptionError>(!o.output.empty(), "no output file: give -o OUT.nc");
  std::vector<std::string> paths;
  for (const auto& path : {o.output, o.report, o.picture})
    if (!path.empty()) paths.push_back(path);
  require_names_of_their_own(paths);
  const auto inside = [&](const std::string& path) {
    return !o.settings.training.checkpoint.folder.empty() && lies_in(path, o.settings.training.checkpoint.folder);
  };
  for (const auto& path : paths) {
    require<OptionError>(o.settings.training.checkpoint.folder.empty() || !lies_in(o.settings.training.checkpoint.folder, path),
                         path, ": output, report, picture and checkpoint need names of their own");
    if (!inside(path)) data::require_writable_output(path, o.inputs, o.overwrite);
  }
  data::netcdf::names_taken(o.variables);
  validate(o);
  if (o.settings.training.checkpoint.folder.empty()) return;
  check_checkpoint(o, paths);
  require_names_of_their_own(paths);
  for (const auto& path : {o.output, o.report, o.picture})
    if (!path.empty()) data::require_writable_output(path, o.inputs, o.overwrite);
}

}  // namespace lacuna::fill
