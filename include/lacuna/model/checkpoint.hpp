#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lacuna/autograd/parameter.hpp"
#include "lacuna/core/digest.hpp"
#include "lacuna/core/parse_number.hpp"
#include "lacuna/data/safetensors.hpp"
#include "lacuna/model/early_stopping.hpp"
#include "lacuna/train/optimizer.hpp"

namespace lacuna::model {

/// @brief One of the things that must agree before a checkpoint is continued.
struct Mark {
  std::string name, value;
  bool is_digest = false;  ///< the value means nothing to people
};

/// @brief What a checkpoint belongs to. They are compared in this order, and the first that differs is named: options come before
/// what follows from them.
using Fingerprint = std::vector<Mark>;

/// @brief Checksum of all that a file of tensors holds, but for the checksum itself.
inline std::uint64_t checksum_of(const data::Tensors& all) {
  std::uint64_t sum = 0;
  const auto add = [&sum](const auto& values) {
    sum = digest_bytes(std::as_bytes(std::span(values.data(), values.size())), sum);
  };
  for (const auto& [name, value] : all.metadata) {
    if (name == "checksum") continue;
    add(name);
    add(value);
  }
  for (const auto& [name, tensor] : all.tensors) {
    add(name);
    add(tensor.dtype);
    add(tensor.shape);
    add(tensor.bytes);
  }
  return sum;
}

/// @brief Writes the checksum into the metadata.
inline void seal(data::Tensors& all) { all.metadata["checksum"] = std::to_string(checksum_of(all)); }

/// @brief A folder with state.safetensors, all that training needs to go on, and parameters.safetensors, the averaged weights
/// under their layers' names for use elsewhere.
///
/// Each file is written under a temporary name and renamed, so a kill at any moment leaves the last whole one. The state carries
/// a checksum, and none is written that holds numbers that are not finite: what is read is what a run can go on from.
class Checkpoint {
 public:
  static constexpr const char *file_name = "state.safetensors", *parameters_name = "parameters.safetensors";

  Checkpoint(std::filesystem::path folder, Fingerprint fingerprint)
      : folder_(std::move(folder)), fingerprint_(std::move(fingerprint)) {}

  const std::filesystem::path& folder() const { return folder_; }

  /// What lies in the state beside parameters and optimizer.
  struct Run {
    TrainingState training;
    int threads = 0;
  };

  /// Throws: DataError if it cannot be written; Error if the state is not finite, and the last checkpoint stays.
  void save(const Parameters<float>& parameters, const train::OptimizerState<float>& state, const Run& run) const {
    for (const auto* values : {&parameters.values(), &state.first_moment, &state.second_moment, &state.average})
      require(all_finite(*values), "training diverged: at step ", state.step,
              " not all numbers of its state are finite; the checkpoint before it is kept; use a smaller learning rate");
    std::error_code failed;
    std::filesystem::create_directories(folder_, failed);
    require<DataError>(!failed, "checkpoint ", folder_.string(), ": cannot make the folder: ", failed.message());
    data::Tensors all;
    all.tensors["values"] = data::Tensor::from(parameters.values());
    all.tensors["first_moment"] = data::Tensor::from(state.first_moment);
    all.tensors["second_moment"] = data::Tensor::from(state.second_moment);
    all.tensors["average"] = data::Tensor::from(state.average);
    for (const Mark& mark : fingerprint_) all.metadata[mark.name] = mark.value;
    all.metadata["step"] = std::to_string(state.step);
    all.metadata["threads"] = std::to_string(run.threads);
    run.training.save(all.metadata);
    seal(all);
    data::write_safetensors((folder_ / file_name).string(), all);
    data::write_safetensors((folder_ / parameters_name).string(), named(parameters, state.average));
  }

  /// Throws DataError if the folder holds a state that is damaged or not lacuna-fill's: known before anything is computed.
  static void check_readable(const std::filesystem::path& folder) {
    const auto path = folder / file_name;
    if (std::filesystem::exists(path)) read_state(path.string());
  }

  /// Restores parameters and state; empty if there is no checkpoint.
  /// Throws: DataError if the file is damaged or belongs to other data, settings or another network (naming what differs).
  std::optional<Run> load(Parameters<float>& parameters, train::OptimizerState<float>& state) const {
    const auto path = folder_ / file_name;
    if (!std::filesystem::exists(path)) return std::nullopt;
    const auto all = read_state(path.string());
    for (const Mark& mark : fingerprint_) require_same(path.string(), mark, all.metadata);
    const auto restore = [&](const char* name, std::vector<float>& to) {
      const auto values = all.at(name).as<float>();
      require<DataError>(values.size() == parameters.size(), path.string(), ": ", name, " has ", values.size(),
                         " values, the network has ", parameters.size());
      require<DataError>(all_finite(values), path.string(), " is damaged: not all numbers of ", name, " are finite");
      to = values;
    };
    restore("values", parameters.values());
    restore("first_moment", state.first_moment);
    restore("second_moment", state.second_moment);
    restore("average", state.average);
    Run run;
    run.training.load(all.metadata, path.string());
    const auto whole_number = [&](const char* name) {
      const auto found = all.metadata.find(name);
      const std::string word = found == all.metadata.end() ? "not there" : found->second;
      const std::int64_t number = parse_number<std::int64_t>(word).value_or(-1);
      require<DataError>(number >= 0, path.string(), " is damaged: ", name, " is ", word, ", expected a whole number");
      return number;
    };
    state.step = whole_number("step");
    run.threads = static_cast<int>(std::min<std::int64_t>(whole_number("threads"), std::numeric_limits<int>::max()));
    return run;
  }

 private:
  static bool all_finite(const std::vector<float>& values) {
    return std::all_of(values.begin(), values.end(), [](float x) { return std::isfinite(x); });
  }

  static void require_same(const std::string& path, const Mark& mark, const std::map<std::string, std::string>& metadata) {
    const auto found = metadata.find(mark.name);
    require<DataError>(found != metadata.end(), path, " is not a checkpoint of lacuna-fill: it does not tell ", mark.name);
    if (found->second == mark.value) return;
    require<DataError>(mark.name != "version", path, " is of version ", found->second, " of lacuna-fill, this is version ",
                       mark.value);
    throw DataError(text(path, " belongs to another run: ", mark.name,
                         mark.is_digest ? " differ" : text(" is ", found->second, " there and ", mark.value, " here")));
  }

  static data::Tensors read_state(const std::string& path) {
    auto all = data::read_safetensors(path);
    require<DataError>(all.metadata.contains("step"), path, " is not a checkpoint of lacuna-fill: it does not tell step");
    require<DataError>(all.metadata.contains("checksum"), path, " is damaged, or of version 0.1: it has no checksum");
    require<DataError>(all.metadata["checksum"] == std::to_string(checksum_of(all)), path,
                       " is damaged: its checksum does not fit what it holds");
    for (const char* name : {"values", "first_moment", "second_moment", "average"}) {
      const auto found = all.tensors.find(name);
      require<DataError>(found != all.tensors.end(), path, " is damaged: it has no tensor ", name);
      require<DataError>(found->second.dtype == "F32", path, " is damaged: its tensor ", name, " is of ", found->second.dtype,
                         ", expected F32");
    }
    return all;
  }

  static data::Tensors named(const Parameters<float>& parameters, const std::vector<float>& values) {
    data::Tensors out;
    for (const auto& entry : parameters.entries())
      out.tensors[entry.name] = data::Tensor::from(std::span<const float>(values).subspan(entry.at.offset, entry.at.size),
                                                   {entry.dims.begin(), entry.dims.end()});
    return out;
  }

  std::filesystem::path folder_;
  Fingerprint fingerprint_;
};

}  // namespace lacuna::model
