#pragma once

#include <string>
#include <utility>
#include <vector>

#include "lacuna/autograd/parameter.hpp"
#include "lacuna/data/safetensors.hpp"

namespace lacuna::nn {

/// @brief Published spectral weights (in, out, modes..., 2): their names end so; the library has (modes, 2, in, out), so that a
/// mode's matrix is in one piece. Every other parameter of Fno is stored alike.
inline bool is_spectral_weight(const std::string& name) { return name.ends_with("weight.t"); }

/// @brief (rows, columns) -> (columns, rows).
template <class T>
std::vector<T> turned(const std::vector<T>& from, std::size_t rows) {
  const std::size_t columns = from.size() / rows;
  std::vector<T> to(from.size());
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t j = 0; j < columns; ++j) to[j * rows + i] = from[i * columns + j];
  return to;
}

/// @brief A published Fno tensor in the library's order. Throws DataError, naming the tensor, if its size is not the parameter's.
template <class T>
std::vector<float> from_published(const typename Parameters<T>::Entry& entry, const data::Tensor& tensor) {
  auto values = tensor.as_float();
  require<DataError>(values.size() == entry.at.size, "tensor ", entry.name, " has ", values.size(), " values, the network's has ",
                     entry.at.size);
  if (!is_spectral_weight(entry.name)) return values;
  const auto inputs = static_cast<std::int64_t>(entry.dims[entry.dims.size() - 2]), outputs = std::int64_t{entry.dims.back()};
  require<DataError>(tensor.shape.size() >= 4 && tensor.shape[0] == inputs && tensor.shape[1] == outputs, "tensor ", entry.name,
                     " has ", tensor.shape.size(), " axes, expected (in, out, modes..., 2) with ", inputs, " in and ", outputs,
                     " out");
  return turned(values, static_cast<std::size_t>(inputs * outputs));
}

/// @brief Fills an Fno's parameters from published weights: tensors `prefix` + name, complex ones with a last axis of 2.
/// Throws: DataError that names a tensor that is missing or has another size; the parameters are then as they were.
template <class T>
void load_published_fno(Parameters<T>& parameters, const data::Tensors& file, const std::string& prefix = "") {
  auto values = parameters.values();
  for (const auto& entry : parameters.entries()) {
    const auto from = from_published<T>(entry, file.at(prefix + entry.name));
    for (std::size_t i = 0; i < from.size(); ++i) values[entry.at.offset + i] = static_cast<T>(from[i]);
  }
  parameters.values() = std::move(values);
}

/// @brief An Fno's parameters under their published names and in the published order of storage, as float.
/// Shapes: spectral weights (in, out, modes..., 2), the modes in one axis per axis of `modes` (the last one modes/2 + 1).
template <class T>
data::Tensors save_published_fno(const Parameters<T>& parameters, const std::vector<int>& modes, const std::string& prefix = "") {
  data::Tensors file;
  for (const auto& entry : parameters.entries()) {
    std::vector<float> values(entry.at.size);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(parameters.value(entry.at)[i]);
    std::vector<std::int64_t> shape(entry.dims.begin(), entry.dims.end());
    if (is_spectral_weight(entry.name)) {
      values = turned(values, entry.at.size / static_cast<std::size_t>(shape[2] * shape[3]));
      shape = {shape[2], shape[3]};
      shape.insert(shape.end(), modes.begin(), modes.end());
      shape.back() = shape.back() / 2 + 1;
      shape.push_back(2);
    }
    file.tensors[prefix + entry.name] = data::Tensor::from<float>(values, std::move(shape));
  }
  return file;
}

}  // namespace lacuna::nn
