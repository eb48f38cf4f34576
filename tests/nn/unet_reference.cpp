// The UNet against an independent implementation: tests/data/make_unet2d_reference.py made the reference with PyTorch.

#include <type_traits>

#include "catch.hpp"
#include "lacuna/data/safetensors.hpp"
#include "lacuna/nn/in_bfloat16.hpp"
#include "lacuna/nn/unet.hpp"
#include "lacuna/ops/masked_loss.hpp"
#include "support/compare.hpp"
#include "support/probe.hpp"
#include "support/tolerances.hpp"

using namespace lacuna;

namespace {

using Sizes = std::vector<std::size_t>;

/// Reorders an array of shape (n0, n1, n2, n3) so that axis order[k] of the old becomes axis k of the new.
std::vector<float> permuted(const std::vector<float>& from, const Sizes& n, const Sizes& order) {
  const Sizes step{n[1] * n[2] * n[3], n[2] * n[3], n[3], 1};
  std::vector<float> to;
  to.reserve(from.size());
  for (std::size_t a = 0; a < n[order[0]]; ++a)
    for (std::size_t b = 0; b < n[order[1]]; ++b)
      for (std::size_t c = 0; c < n[order[2]]; ++c)
        for (std::size_t d = 0; d < n[order[3]]; ++d)
          to.push_back(from[a * step[order[0]] + b * step[order[1]] + c * step[order[2]] + d * step[order[3]]]);
  return to;
}

/// A tensor of the file in the library's layout: images (B, C, H, W) -> (B, H, W, C), weights OIHW -> OHWI, those of transposed
/// convolutions IOHW -> OHWI; the rest as it is.
std::vector<float> channels_last(const data::Tensor& tensor, bool transposed = false) {
  const auto values = tensor.as<float>();
  if (tensor.shape.size() != 4) return values;
  const Sizes n(tensor.shape.begin(), tensor.shape.end());
  return permuted(values, n, transposed ? Sizes{1, 2, 3, 0} : Sizes{0, 2, 3, 1});
}

bool is_transposed(const std::string& name) { return name.starts_with("up.") && name.ends_with(".2.weight"); }

template <class Network>
void check(cpu::Convolutions path) {
  constexpr bool in_float = std::is_same_v<Network, nn::UNet>;
  const auto file = data::read_safetensors(LACUNA_TEST_DATA "/unet2d_reference.safetensors");
  const auto tensor = [&](const std::string& name) { return channels_last(file.at(name)); };
  Parameters<float> parameters;
  const Network unet({.inputs = 3, .outputs = 2, .hidden = 4}, parameters, 1);
  std::size_t in_file = 0;
  for (const auto& [name, t] : file.tensors) in_file += name.starts_with("parameter.") ? 1 : 0;
  REQUIRE(in_file == parameters.entries().size());
  for (const auto& entry : parameters.entries()) {
    const auto values = channels_last(file.at("parameter." + entry.name), is_transposed(entry.name));
    REQUIRE(values.size() == entry.at.size);
    std::copy(values.begin(), values.end(), parameters.value(entry.at));
  }

  cpu::Device device({.threads = 1, .convolutions = path});
  Graph<float> graph(device, parameters, Mode::train);
  const auto input = test::place<float>(graph, {{{.batch = 2, .height = 12, .width = 16, .channels = 3}, tensor("input")}})[0];
  const auto times = tensor("times"), target = tensor("target"), marks = tensor("query");
  const std::vector<std::uint8_t> query(marks.begin(), marks.end());
  const auto output = unet(graph, input, times.data());
  const std::vector<float> given(output.data, output.data + output.shape.size());
  if (in_float)
    CHECK(test::relative_difference(given, tensor("output")) < test::tolerance::float_network_other_code);
  else
    CHECK(test::relative_distance(given, tensor("output")) < test::tolerance::bfloat16_network);
  const double loss = ops::masked_loss(graph, output, target.data(), query.data());
  CHECK(loss == Approx(tensor("loss")[0]).epsilon(in_float ? test::tolerance::float_sum : test::tolerance::bfloat16_network));
  if (!in_float) return;  // gradients of so narrow a network magnify roundings tenfold: in_bfloat16.cpp has a wide one
  graph.backward();
  for (const auto& entry : parameters.entries()) {
    const float* g = parameters.gradient(entry.at);
    INFO(entry.name);
    CHECK(test::relative_difference(std::vector<float>(g, g + entry.at.size),
                                    channels_last(file.at("gradient." + entry.name), is_transposed(entry.name))) <
          test::tolerance::float_network_other_code);
  }
}

}  // namespace

TEST_CASE("UNet: output, loss and every gradient equal PyTorch's on the Eigen path") {
  check<nn::UNet>(cpu::Convolutions::eigen);
}
TEST_CASE("UNet: in bfloat16, output and loss are near PyTorch's in float on the Eigen path") {
  check<nn::InBfloat16<nn::UNet>>(cpu::Convolutions::eigen);
}

#ifdef LACUNA_HAS_ONEDNN
TEST_CASE("UNet: output, loss and every gradient equal PyTorch's on the oneDNN path") {
  check<nn::UNet>(cpu::Convolutions::onednn);
}
TEST_CASE("UNet: in bfloat16, output and loss are near PyTorch's in float on the oneDNN path") {
  check<nn::InBfloat16<nn::UNet>>(cpu::Convolutions::onednn);
}
#endif
