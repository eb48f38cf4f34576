// The Fourier neural operator against reference files: every fno*_reference.safetensors in the folder named by the environment
// variable LACUNA_FIXTURES (default: tests/data) holds parameters, inputs, output, loss and gradients of another implementation.

#include "lacuna/nn/fno.hpp"

#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "catch.hpp"
#include "lacuna/nn/published_fno.hpp"
#include "lacuna/ops/cast.hpp"
#include "lacuna/ops/masked_loss.hpp"
#include "support/compare.hpp"
#include "support/probe.hpp"
#include "support/tolerances.hpp"

using namespace lacuna;

namespace {

/// A field (B, C, ...) in the library's layout (B, ..., C).
std::vector<float> channels_last(const data::Tensor& tensor) {
  const auto values = tensor.as<float>();
  const auto batch = static_cast<std::size_t>(tensor.shape[0]), channels = static_cast<std::size_t>(tensor.shape[1]);
  const auto sample = static_cast<std::ptrdiff_t>(values.size() / batch);
  std::vector<float> all;
  for (std::ptrdiff_t b = 0; b < static_cast<std::ptrdiff_t>(batch); ++b) {
    const auto one = nn::turned(std::vector<float>(values.begin() + b * sample, values.begin() + (b + 1) * sample), channels);
    all.insert(all.end(), one.begin(), one.end());
  }
  return all;
}

/// Settings as the shapes of a file's tensors tell them.
nn::Fno::Settings settings_of(const data::Tensors& file) {
  const auto width = [&](const std::string& name, std::size_t axis) { return static_cast<int>(file.at(name).shape[axis]); };
  nn::Fno::Settings settings{.inputs = width("input.x", 1),
                             .outputs = width("output.y", 1),
                             .hidden = width("param.lifting.fcs.1.weight", 0),
                             .modes = {},
                             .layers = 0,
                             .time_features = 0};
  while (file.tensors.contains(text("param.fno_blocks.convs.", settings.layers, ".bias"))) ++settings.layers;
  const auto& spectral = file.at("param.fno_blocks.convs.0.weight.t").shape;  // (in, out, modes..., 2)
  for (std::size_t i = 2; i + 1 < spectral.size(); ++i) settings.modes.push_back(static_cast<int>(spectral[i]));
  settings.modes.back() = 2 * (settings.modes.back() - 1);
  return settings;
}

/// Largest difference over the largest magnitude; where the reference is all zero, over 1e-6 / 2e-4.
double difference(const std::vector<float>& given, const std::vector<float>& expected) {
  const bool zero = std::all_of(expected.begin(), expected.end(), [](float x) { return x == 0.0f; });
  if (!zero) return test::relative_difference(given, expected);
  double largest = 0;
  for (const float x : given) largest = std::max(largest, std::isfinite(x) ? std::abs(static_cast<double>(x)) : 1e300);
  return largest / 1e-6 * test::tolerance::float_network_other_code;
}

void check_file(const std::string& path) {
  const auto file = data::read_safetensors(path);
  const auto settings = settings_of(file);
  Parameters<float> parameters;
  const nn::Fno fno(settings, parameters, 1);
  std::size_t in_file = 0;
  for (const auto& [name, t] : file.tensors) in_file += name.starts_with("param.") ? 1 : 0;
  REQUIRE(in_file == parameters.entries().size());
  nn::load_published_fno(parameters, file, "param.");
  const auto saved = nn::save_published_fno(parameters, settings.modes, "param.");
  for (const auto& [name, tensor] : saved.tensors) CHECK(tensor.bytes == file.at(name).bytes);

  const auto& n = file.at("input.x").shape;
  const bool frames = n.size() == 5;
  const Shape shape{static_cast<int>(n[0]), frames ? static_cast<int>(n[2]) : 1, static_cast<int>(n[n.size() - 2]),
                    static_cast<int>(n[n.size() - 1]), settings.inputs};
  cpu::Device device({.threads = 2});
  Graph<float> graph(device, parameters, Mode::train);
  const auto input = test::place<float>(graph, {{shape, channels_last(file.at("input.x"))}})[0];
  const float* no_times = nullptr;
  const auto output = fno(graph, input, no_times, ops::InputGradient::computed);
  const auto tolerance = test::tolerance::float_network_other_code;
  CHECK(difference({output.data, output.data + output.shape.size()}, channels_last(file.at("output.y"))) < tolerance);
  const auto target = channels_last(file.at("input.target")), marks = channels_last(file.at("input.query"));
  const std::vector<std::uint8_t> query(marks.begin(), marks.end());
  const double loss = ops::masked_loss(graph, output, target.data(), query.data());
  CHECK(loss == Approx(file.at("output.loss").as<float>()[0]).epsilon(tolerance));
  graph.backward();
  const float* grad_x = input.node->gradient;
  CHECK(difference({grad_x, grad_x + shape.size()}, channels_last(file.at("grad.input.x"))) < tolerance);
  for (const auto& entry : parameters.entries()) {
    const float* g = parameters.gradient(entry.at);
    INFO(path << ": " << entry.name);
    CHECK(difference({g, g + entry.at.size}, nn::from_published<float>(entry, file.at("grad." + entry.name))) < tolerance);
  }

  Graph<float> again(device, parameters, Mode::infer);
  const auto narrow = ops::cast<Bfloat16>(again, test::place<float>(again, {{shape, channels_last(file.at("input.x"))}})[0]);
  const auto rounded = ops::cast<float>(again, fno(again, narrow, no_times));
  const auto expected = channels_last(file.at("output.y"));
  CHECK(test::relative_distance(std::vector<float>(rounded.data, rounded.data + rounded.shape.size()), expected) <
        test::tolerance::bfloat16_network);
}

template <class T>
struct Net {
  explicit Net(const nn::Fno::Settings& settings) : fno(settings, parameters, 3) {}
  test::Operand<T> input(const Shape& grid) const {
    return test::random_operand<T>(grid.with_channels(fno.settings().inputs), 1);
  }
  auto apply() const {
    return [this](Graph<T>& graph, const auto& x) { return fno(graph, x[0], times, ops::InputGradient::computed); };
  }
  Parameters<T> parameters;
  nn::Fno fno;
  T times[4] = {T(0.9), T(0.02), T(0.4), T(0.7)};
};

}  // namespace

TEST_CASE("FNO: output, loss and every gradient equal the reference files', and in bfloat16 the output is near") {
  const char* named = std::getenv("LACUNA_FIXTURES");
  const std::filesystem::path folder = named != nullptr ? named : LACUNA_TEST_DATA;
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const auto name = entry.path().filename().string();
    if (!name.starts_with("fno") || !name.ends_with("_reference.safetensors")) continue;
    check_file(entry.path().string());
    ++files;
  }
  INFO("in " << folder.string());
  CHECK(files > 0);
}

TEST_CASE("FNO: as many parameters as the network that benchmarks/peers/fno.py builds") {
  CHECK(Net<float>({.inputs = 2, .outputs = 1, .hidden = 32, .modes = {16, 16}}).parameters.size() == 1234081);
}

TEST_CASE("FNO: gradients of the input and every parameter are central differences, in 2-D and 3-D, with the time") {
  cpu::Device device({.threads = 1});
  const nn::Fno::Settings flat{.inputs = 3, .outputs = 2, .hidden = 4, .modes = {2, 2}, .layers = 2, .time_features = 4};
  nn::Fno::Settings deep = flat;
  deep.modes = {2, 3, 2};
  for (const auto& [settings, grid] : {std::pair(flat, Shape{.batch = 2, .height = 3, .width = 5}),
                                       std::pair(deep, Shape{.batch = 2, .frames = 3, .height = 4, .width = 3})}) {
    Net<double> net(settings);
    INFO(grid);
    CHECK(test::gradient_error(device, net.parameters, {net.input(grid)}, net.apply(), {}, test::network_step) <
          test::tolerance::network_gradient);
  }
}

TEST_CASE("FNO: inference equals the training pass, threads change nothing, samples do not see each other") {
  cpu::Device one({.threads = 1}), three({.threads = 3});
  for (const auto& modes : {std::vector{4, 6}, std::vector{3, 4, 6}}) {
    Net<float> net({.inputs = 2, .outputs = 1, .hidden = 16, .modes = modes, .layers = 2});
    const Shape grid{.batch = 2, .frames = modes.size() == 3 ? 3 : 1, .height = 7, .width = 9};
    std::vector operands{net.input(grid)};
    const auto pass = test::train_pass(one, net.parameters, operands, net.apply());
    CHECK(pass.shape == grid.with_channels(1));
    CHECK(test::infer_pass(three, net.parameters, operands, net.apply()) == pass.result);
    CHECK(test::train_pass(three, net.parameters, operands, net.apply()) == pass);
    auto& values = operands[0].values;
    std::fill(values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end(), test::nan<float>);
    const auto after = test::infer_pass(one, net.parameters, operands, net.apply());
    for (std::size_t i = 0; i < after.size() / 2; ++i) CHECK(after[i] == pass.result[i]);
  }
}

TEST_CASE("FNO: float agrees with double") {
  cpu::Device device({.threads = 1});
  const nn::Fno::Settings settings{.inputs = 2, .outputs = 1, .hidden = 32, .modes = {12, 12}};
  Net<float> net(settings);
  Net<double> exact(settings);
  const Shape grid{.batch = 2, .height = 32, .width = 31};
  const auto given = test::train_pass(device, net.parameters, {net.input(grid)}, net.apply());
  const auto expected = test::train_pass(device, exact.parameters, {exact.input(grid)}, exact.apply());
  CHECK(test::relative_difference(given.result, expected.result) < test::tolerance::float_network);
  CHECK(test::relative_difference(given.operand_gradients[0], expected.operand_gradients[0]) < test::tolerance::float_network);
  CHECK(test::relative_difference(given.parameter_gradients, expected.parameter_gradients) < test::tolerance::float_network);
}

TEST_CASE("FNO: a dry pass plans exactly the memory of a real one; inference leaves the input and the estimate alone") {
  for (const auto mode : {Mode::train, Mode::infer}) {
    Net<float> net({.hidden = 8, .modes = {4, 4}});
    const std::vector<float> target(2 * 63);
    const std::vector<std::uint8_t> query(target.size(), 1);
    const auto high_water = [&](cpu::Device& device, bool dry) {
      Graph<float> graph(device, net.parameters, mode, dry);
      const auto x = graph.make({.batch = 2, .height = 7, .width = 9, .channels = 2});
      if (!dry) std::fill_n(x.data, x.shape.size(), 0.5f);
      const auto y = net.fno(graph, x, net.times);
      if (mode == Mode::train) {
        ops::masked_loss(graph, y, target.data(), query.data());
        graph.backward();
      } else {
        const auto block = [](const Variable<float>& v) { return (v.shape.size() * sizeof(float) + 63) / 64 * 64; };
        CHECK(device.arena().live() == block(x) + block(y));
      }
      return device.arena().high_water();
    };
    cpu::Device planned({.threads = 2}), real({.threads = 2});
    CHECK(high_water(planned, true) == high_water(real, false));
    real.reset();
    const std::size_t first = real.arena().high_water();
    CHECK(high_water(real, false) == first);
  }
}

TEST_CASE("FNO: settings out of range and grids that do not fit are refused, with what was expected") {
  const auto settings = [](const nn::Fno::Settings& s) {
    Parameters<float> p;
    const auto message = test::message_of<OptionError>([&] { nn::Fno(s, p, 1); });
    CHECK(p.size() == 0);
    return message;
  };
  CHECK(settings({.hidden = 5}) ==
        "Fno: inputs 2, outputs 1, hidden 5, 4 layers; expected inputs and outputs from 1, an even "
        "hidden width from 2 and 1 layer or more");
  CHECK(settings({.modes = {8}}) == "Fno: modes along 1 axes; expected (H, W) or (T, H, W)");
  CHECK(settings({.modes = {8, 0}}) == "Fno: 0 modes along an axis; expected 1 or more");
  CHECK(settings({.modes = {8, 7}}) ==
        "Fno: 7 modes along W; expected an even number, of which the half spectrum keeps one more than half");
  CHECK(settings({.time_features = 3}) == "Fno: 3 time features; expected 0 or an even number from 4");
  cpu::Device device({.threads = 1});
  Net<float> net({.hidden = 4, .modes = {6, 4}});
  const auto grid = [&](const Shape& shape) {
    return test::message_of<ShapeError>(
        [&] { test::infer_pass<float>(device, net.parameters, {test::random_operand<float>(shape, 1)}, net.apply()); });
  };
  CHECK(grid({.height = 8, .width = 8, .channels = 3}) == "Fno: lifting: input has shape (1, 1, 8, 8, 3), expected 2 channels");
  CHECK(grid({.height = 5, .width = 8, .channels = 2}) ==
        "Fno: fno_blocks.convs keep 6 modes along H, input has shape (1, 1, 5, 8, 2); expected 6 cells or more there");
  CHECK(grid({.frames = 2, .height = 8, .width = 8, .channels = 2}) ==
        "Fno: lifting: input has shape (1, 2, 8, 8, 2), expected one frame: with modes along (H, W) frames are channels");
}

TEST_CASE("FNO: published weights that do not fit are refused and change nothing") {
  Net<float> net({.hidden = 4, .modes = {2, 2}, .time_features = 0});
  auto file = nn::save_published_fno(net.parameters, {2, 2});
  const auto before = net.parameters.values();
  file.tensors["lifting.fcs.0.bias"] = data::Tensor::from(std::vector<float>(7));
  CHECK(test::message_of<DataError>([&] { nn::load_published_fno(net.parameters, file); }) ==
        "tensor lifting.fcs.0.bias has 7 values, the network's has 8");
  file.tensors.erase("lifting.fcs.0.bias");
  CHECK(test::message_of<DataError>([&] { nn::load_published_fno(net.parameters, file); }) ==
        "there is no tensor lifting.fcs.0.bias");
  CHECK(net.parameters.values() == before);
}
