#pragma once

#include <string>
#include <utility>
#include <vector>

#include "lacuna/data/safetensors.hpp"
#include "lacuna/nn/space_time_unet.hpp"

namespace lacuna::nn {

/// @brief Under which name and shape a parameter of SpaceTimeUNet is published.
struct PublishedTensor {
  std::string name;                 ///< without the prefix of the whole network
  std::vector<std::int64_t> shape;  ///< convolutions (out, in, 1, k, k), transposed ones (in, out, 1, k, k)
  bool transposed = false;
};

/// @brief Translates the name and shape of a parameter of SpaceTimeUNet.
template <class T>
PublishedTensor published(const typename Parameters<T>::Entry& entry) {
  PublishedTensor p{entry.name, {entry.dims.begin(), entry.dims.end()}};
  const auto rename = [&p](const std::string& from, const std::string& to) {
    const auto at = p.name.find(from);
    if (at != std::string::npos) p.name.replace(at, from.size(), to);
    return at != std::string::npos;
  };
  rename(".conv.", ".proj.");
  rename(".skip.", ".res_conv.");
  rename(".time.", ".mlp.1.");
  if (rename(".fn.norm.gain", ".fn.norm.gamma")) p.shape = {1, entry.dims[0], 1, 1, 1};
  if (rename(".norm.gain", ".norm.gamma")) p.shape = {entry.dims[0], 1, 1, 1};
  if (p.name.find(".2.fn.fn.to_") != std::string::npos && entry.dims.size() == 2) p.shape.insert(p.shape.end(), {1, 1});
  if (entry.dims.size() == 4) {  // (out, k, k, in)
    p.transposed = p.name.starts_with("ups.") && p.name.ends_with(".4.weight");
    p.shape = {entry.dims[0], entry.dims[3], 1, entry.dims[1], entry.dims[2]};
    if (p.transposed) std::swap(p.shape[0], p.shape[1]);
  }
  return p;
}

/// @brief Calls visit(published index, library index) for every element of a parameter.
template <class Visit>
void for_published_elements(const std::vector<int>& dims, std::size_t size, bool transposed, const Visit& visit) {
  if (dims.size() != 4) {
    for (std::size_t i = 0; i < size; ++i) visit(i, i);
    return;
  }
  const auto outputs = static_cast<std::size_t>(dims[0]), inputs = static_cast<std::size_t>(dims[3]),
             taps = size / outputs / inputs;
  for (std::size_t o = 0; o < outputs; ++o)
    for (std::size_t k = 0; k < taps; ++k)
      for (std::size_t i = 0; i < inputs; ++i)
        visit((transposed ? i * outputs + o : o * inputs + i) * taps + k, (o * taps + k) * inputs + i);
}

/// @brief Reads SpaceTimeUNet's settings off the shapes of its published tensors, whose names start with `prefix`.
/// Throws: DataError that names the tensor, what was expected and what it is.
inline SpaceTimeUNet::Settings published_unet_settings(const data::Tensors& tensors, const std::string& prefix = "cnn.") {
  const auto extent = [&](const std::string& name, std::size_t axis) {
    const auto& shape = tensors.at(prefix + name).shape;
    require<DataError>(shape.size() > axis && shape[axis] > 0, prefix, name, " has ", shape.size(),
                       " axes, expected a size on axis ", axis);
    return static_cast<int>(shape[axis]);
  };
  const auto quotient = [&](const std::string& name, int by) {
    const int whole = extent(name, 0);
    require<DataError>(whole % by == 0, prefix, name, " has ", whole, " rows, expected a multiple of ", by);
    return whole / by;
  };
  SpaceTimeUNet::Settings s;
  s.hidden = extent("init_conv.weight", 0);
  s.inputs = extent("init_conv.weight", 1);
  s.outputs = extent("final_conv.1.weight", 0);
  s.heads = extent("time_rel_pos_bias.relative_attention_bias.weight", 1);
  s.spatial_features = quotient("mid_spatial_attn.fn.fn.fn.to_qkv.weight", 3 * s.heads);
  s.temporal_features = quotient("mid_temporal_attn.fn.fn.fn.to_qkv.weight", 3 * s.heads);
  s.multipliers.clear();
  const auto level = [&s] { return text("downs.", s.multipliers.size(), ".0.block1.proj.weight"); };
  while (tensors.tensors.contains(prefix + level())) s.multipliers.push_back(quotient(level(), s.hidden));
  return s;
}

/// @brief Takes the values of a SpaceTimeUNet's parameters from published tensors. Other tensors are let be.
/// Throws: DataError if one is missing, or naming the one whose shape is not expected; the parameters are then as they were.
template <class T>
void load_published_unet(Parameters<T>& parameters, const data::Tensors& tensors, const std::string& prefix = "cnn.") {
  const auto shape_text = [](const std::vector<std::int64_t>& shape) {
    std::string out = "(";
    for (const auto n : shape) out += text(out.size() > 1 ? ", " : "", n);
    return out + ")";
  };
  auto all = parameters.values();
  for (const auto& entry : parameters.entries()) {
    const auto p = published<T>(entry);
    const data::Tensor& tensor = tensors.at(prefix + p.name);
    require<DataError>(tensor.shape == p.shape, prefix, p.name, " has shape ", shape_text(tensor.shape), ", expected ",
                       shape_text(p.shape));
    T* to = all.data() + entry.at.offset;
    const auto take = [&](const auto& values) {
      for_published_elements(entry.dims, entry.at.size, p.transposed,
                             [&](std::size_t from, std::size_t at) { to[at] = static_cast<T>(values[from]); });
    };
    tensor.dtype == "F64" ? take(tensor.as<double>()) : take(tensor.as_float());
  }
  parameters.values() = std::move(all);
}

/// @brief The parameters of a SpaceTimeUNet as published tensors, in T's own precision.
template <class T>
data::Tensors save_published_unet(const Parameters<T>& parameters, const std::string& prefix = "cnn.") {
  data::Tensors tensors;
  for (const auto& entry : parameters.entries()) {
    const auto p = published<T>(entry);
    std::vector<T> values(entry.at.size);
    const T* from = parameters.value(entry.at);
    for_published_elements(entry.dims, entry.at.size, p.transposed,
                           [&](std::size_t to, std::size_t at) { values[to] = from[at]; });
    tensors.tensors[prefix + p.name] = data::Tensor::from<T>(values, p.shape);
  }
  return tensors;
}

}  // namespace lacuna::nn
