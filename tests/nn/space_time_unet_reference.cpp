// SpaceTimeUNet against the published network: every unet*_reference.safetensors with its tensors in the folder named by the
// environment variable LACUNA_FIXTURES, or in tests/data. Such a file holds parameters, inputs, outputs and gradients.

#include <cstdlib>
#include <filesystem>
#include <type_traits>

#include "catch.hpp"
#include "lacuna/data/safetensors.hpp"
#include "lacuna/nn/published_space_time_unet.hpp"
#include "lacuna/ops/masked_loss.hpp"
#include "support/bfloat16.hpp"
#include "support/compare.hpp"
#include "support/probe.hpp"
#include "support/tolerances.hpp"

using namespace lacuna;

namespace {

/// Paths of the references; other networks' files have other tensors.
std::vector<std::string> references() {
  const char* folder = std::getenv("LACUNA_FIXTURES");
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder != nullptr ? folder : LACUNA_TEST_DATA)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with("unet") || !name.ends_with("_reference.safetensors")) continue;
    if (data::read_safetensors(entry.path().string()).tensors.contains("param.cnn.init_conv.weight"))
      paths.push_back(entry.path().string());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

/// A field (B,C,T,H,W) of the file, channels last.
std::vector<float> channels_last(const data::Tensor& field) {
  const auto values = field.as<float>();
  const auto channels = static_cast<std::size_t>(field.shape[1]);
  const std::size_t cells = values.size() / static_cast<std::size_t>(field.shape[0]) / channels;
  std::vector<float> out(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t sample = i / (channels * cells), channel = i / cells % channels;
    out[(sample * cells + i % cells) * channels + channel] = values[i];
  }
  return out;
}

/// All-zero references are compared absolutely.
template <class T>
bool agrees(const std::vector<T>& given, const std::vector<float>& expected) {
  if (std::all_of(expected.begin(), expected.end(), [](float x) { return x == 0; }))
    return given.size() == expected.size() && std::all_of(given.begin(), given.end(), [](T x) { return std::abs(x) < 1e-6; });
  return test::relative_difference(given, expected) < test::tolerance::float_network_other_code;
}

/// S: what images are kept in.
template <class T, class S = T>
void check(const std::string& path, cpu::Convolutions convolutions, int threads) {
  INFO(path);
  const data::Tensors file = data::read_safetensors(path);
  const auto settings = nn::published_unet_settings(file, "param.cnn.");
  Parameters<T> parameters;
  const nn::SpaceTimeUNet net(settings, parameters, 1);
  nn::load_published_unet(parameters, file, "param.cnn.");
  std::size_t in_file = 0;
  for (const auto& [name, t] : file.tensors) in_file += name.starts_with("param.") ? 1 : 0;
  REQUIRE(in_file == parameters.entries().size());

  const auto& n = file.at("input.x").shape;
  const Shape shape{static_cast<int>(n[0]), static_cast<int>(n[2]), static_cast<int>(n[3]), static_cast<int>(n[4]),
                    settings.inputs};
  const auto x = channels_last(file.at("input.x")), mask = channels_last(file.at("input.mask"));
  const std::size_t variables = static_cast<std::size_t>(n[1]), masks = static_cast<std::size_t>(settings.inputs) - variables;
  test::Operand<T> input{shape, std::vector<T>(shape.size())};
  for (std::size_t cell = 0; cell < shape.cells(); ++cell) {
    for (std::size_t c = 0; c < masks; ++c) input.values[cell * (masks + variables) + c] = mask[cell * masks + c];
    for (std::size_t c = 0; c < variables; ++c) input.values[cell * (masks + variables) + masks + c] = x[cell * variables + c];
  }

  cpu::Device device({.threads = threads, .convolutions = convolutions});
  Graph<T> graph(device, parameters, Mode::train);
  const auto placed = test::place<T>(graph, {input})[0];
  const std::vector<float> raw_times = file.at("input.t").as_float();
  const std::vector<T> times(raw_times.begin(), raw_times.end());
  const auto marks = channels_last(file.at("input.query")), target = channels_last(file.at("input.target"));
  const std::vector<std::uint8_t> query(marks.begin(), marks.end());
  if constexpr (!std::is_same_v<S, T>) {
    const auto narrow = ops::cast<T>(graph, net(graph, ops::cast<S>(graph, placed), times.data()));
    CHECK(test::relative_distance(std::vector<T>(narrow.data, narrow.data + narrow.shape.size()),
                                  channels_last(file.at("output.y"))) < test::tolerance::bfloat16_network);
    return;
  }
  const auto y = net(graph, placed, times.data(), ops::InputGradient::computed);
  const std::vector<T> output(y.data, y.data + y.shape.size());
  CHECK(agrees(output, channels_last(file.at("output.y"))));
  const double loss = ops::masked_loss(graph, y, target.data(), query.data());
  CHECK(agrees(std::vector{loss}, file.at("output.loss").as_float()));
  graph.backward();

  std::vector<T> grad_x(x.size());
  for (std::size_t cell = 0; cell < shape.cells(); ++cell)
    for (std::size_t c = 0; c < variables; ++c)
      grad_x[cell * variables + c] =
          placed.node->gradient[cell * (masks + variables) + masks + c] * static_cast<T>(mask[cell * masks + c % masks]);
  CHECK(agrees(grad_x, channels_last(file.at("grad.input.x"))));
  std::copy(parameters.gradients().begin(), parameters.gradients().end(), parameters.values().begin());
  const data::Tensors gradients = nn::save_published_unet(parameters, "grad.cnn.");
  for (const auto& [name, gradient] : gradients.tensors) {
    INFO(name);
    CHECK(agrees(gradient.template as<T>(), file.at(name).as_float()));
  }
}

}  // namespace

TEST_CASE("SpaceTimeUNet: output, loss and every gradient equal the published network's") {
  const auto paths = references();
  REQUIRE(!paths.empty());
  for (const auto& path : paths) {
    check<double>(path, cpu::Convolutions::eigen, 2);
    check<float>(path, cpu::Convolutions::eigen, 2);
#ifdef LACUNA_HAS_ONEDNN
    check<float>(path, cpu::Convolutions::onednn, 1);
#endif
  }
}

TEST_CASE("SpaceTimeUNet: in bfloat16 the output is near the published network's") {
  for (const auto& path : references()) {
    check<float, Bfloat16>(path, cpu::Convolutions::eigen, 2);
#ifdef LACUNA_HAS_ONEDNN
    check<float, Bfloat16>(path, cpu::Convolutions::onednn, 1);
#endif
  }
}
