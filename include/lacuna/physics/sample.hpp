#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace lacuna::physics {

/// @brief A variable or parameter of a data set. `units` as of CF ("m s-1"; "1" for none).
struct Quantity {
  std::string name, units, long_name;
};

/// @brief What every sample of a data set has in common.
struct Description {
  std::string name, title;
  std::vector<Quantity> variables = {};           ///< V variables on (T, H, W)
  std::vector<Quantity> parameters = {};          ///< numbers drawn for each sample
  std::vector<double> time = {}, y = {}, x = {};  ///< coordinates: T, H, W
  std::string time_units = {}, length_units = {};
  bool double_precision = false;  ///< how variables are kept in files: double or float
  std::vector<std::pair<std::string, double>> settings =
      {};  ///< with the version of the code, all that decides a sample but the seed

  std::size_t frame_cells() const { return y.size() * x.size(); }
  std::size_t values() const { return variables.size() * time.size() * frame_cells(); }
};

/// @brief One sample: values (V, T, H, W) and its parameters.
struct Sample {
  std::vector<double> values = {}, parameters = {};
};

/// @brief Makes the samples of a data set. make() depends on its arguments and the settings alone and may run on several threads.
template <class G>
concept Generator = requires(const G& generator, std::uint64_t seed, std::uint64_t index) {
  { generator.description() } -> std::convertible_to<Description>;
  { generator.make(seed, index) } -> std::convertible_to<Sample>;
};

}  // namespace lacuna::physics
