#pragma once

#include <bit>
#include <cmath>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "lacuna/autograd/parameter.hpp"
#include "lacuna/core/philox.hpp"
#include "lacuna/data/field.hpp"
#include "lacuna/data/safetensors.hpp"
#include "lacuna/fill/training_state.hpp"
#include "lacuna/train/optimizer.hpp"

namespace lacuna::fill {

/// @brief What a checkpoint belongs to: names and values that must agree before it is continued.
using Fingerprint = std::map<std::string, std::string>;

/// @brief A number that changes with any bit of the data (not cryptographic).
template <class T>
std::uint64_t digest(const std::vector<T>& values) {
  using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  std::uint64_t sum = 0;
  for (const T value : values) sum = mix_bits(sum ^ (std::isnan(value) ? Bits{0x7fc00000u} : std::bit_cast<Bits>(value)));
  return sum;
}

/// @brief A folder with state.safetensors, all that training needs to go on, and parameters.safetensors, the averaged weights
/// under their layers' names for use elsewhere.
///
/// Each file is written under a temporary name and renamed, so a kill at any moment leaves the last whole one.
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

  void save(const Parameters<float>& parameters, const train::OptimizerState<float>& state, const Run& run) const {
    std::error_code failed;
    std::filesystem::create_directories(folder_, failed);
    require<DataError>(!failed, "checkpoint ", folder_.string(), ": cannot make the folder: ", failed.message());
    data::Tensors all;
    all.tensors["values"] = data::Tensor::from(parameters.values());
    all.tensors["first_moment"] = data::Tensor::from(state.first_moment);
    all.tensors["second_moment"] = data::Tensor::from(state.second_moment);
    all.tensors["average"] = data::Tensor::from(state.average);
    all.metadata = fingerprint_;
    all.metadata["step"] = std::to_string(state.step);
    all.metadata["threads"] = std::to_string(run.threads);
    run.training.save(all.metadata);
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
    if (const auto mine = fingerprint_.find("version"); mine != fingerprint_.end()) {
      const auto theirs = all.metadata.find("version");
      require<DataError>(theirs == all.metadata.end() || theirs->second == mine->second, path.string(), " is of version ",
                         theirs == all.metadata.end() ? "" : theirs->second, " of lacuna-fill, this is version ", mine->second);
    }
    for (const auto& [name, value] : fingerprint_) {
      const auto found = all.metadata.find(name);
      if (found == all.metadata.end() && name == "precision" && value == "float") continue;  // there was no other once
      require<DataError>(found != all.metadata.end(), path.string(), " is not a checkpoint of lacuna-fill: it does not tell ",
                         name);
      require<DataError>(found->second == value, path.string(), " belongs to another run: ", name, " is ", found->second,
                         " there and ", value, " here");
    }
    const auto restore = [&](const char* name, std::vector<float>& to) {
      const auto values = all.at(name).as<float>();
      require<DataError>(values.size() == parameters.size(), path.string(), ": ", name, " has ", values.size(),
                         " values, the network has ", parameters.size());
      to = values;
    };
    restore("values", parameters.values());
    restore("first_moment", state.first_moment);
    restore("second_moment", state.second_moment);
    restore("average", state.average);
    Run run;
    run.training.load(all.metadata, path.string());
    try {
      state.step = std::stoll(all.metadata.at("step"));
      run.threads = std::stoi(all.metadata.at("threads"));
    } catch (const std::exception&) {
      throw DataError(text(path.string(), " is damaged: its step or threads cannot be read"));
    }
    return run;
  }

 private:
  static data::Tensors read_state(const std::string& path) {
    auto all = data::read_safetensors(path);
    require<DataError>(all.metadata.contains("step"), path, " is not a checkpoint of lacuna-fill: it does not tell step");
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

}  // namespace lacuna::fill
