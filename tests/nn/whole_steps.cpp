#include "lacuna/nn/whole_steps.hpp"

#include "catch.hpp"
#include "lacuna/nn/space_time_unet.hpp"
#include "lacuna/nn/unet.hpp"
#include "support/probe.hpp"
#include "support/tolerances.hpp"

using namespace lacuna;
using ops::Border;

namespace {

const ops::Borders globe{Border::replicated, Border::periodic};

/// Rolls the columns of every image.
test::Operand<float> rolled(const test::Operand<float>& x, int columns) {
  auto y = x;
  const auto c = static_cast<std::size_t>(x.shape.channels), w = static_cast<std::size_t>(x.shape.width);
  for (std::size_t i = 0; i < x.values.size(); ++i) {
    const std::size_t row = i / (w * c), column = i / c % w;
    y.values[(row * w + (column + static_cast<std::size_t>(columns)) % w) * c + i % c] = x.values[i];
  }
  return y;
}

template <class Network>
std::vector<float> estimate(const typename Network::Settings& settings, const test::Operand<float>& x) {
  cpu::Device device({.threads = 1});
  Parameters<float> parameters;
  const Network network(settings, parameters, 3);
  const float times[] = {0.4f, 0.7f};
  return test::infer_pass<float>(device, parameters, {x}, [&](auto& g, const auto& v) { return network(g, v[0], times); });
}

}  // namespace

TEST_CASE("whole steps: the window by hand") {
  const auto window = [](int height, int width, const ops::Borders& borders) {
    const auto w = nn::whole_steps({.height = height, .width = width}, 4, borders);
    return std::vector<int>{w.top, w.left, w.height, w.width};
  };
  CHECK(window(8, 12, {}) == std::vector<int>{0, 0, 8, 12});
  CHECK(window(8, 12, globe) == std::vector<int>{0, 0, 8, 12});
  CHECK(window(9, 13, {}) == std::vector<int>{0, 0, 12, 16});
  CHECK(window(9, 13, globe) == std::vector<int>{0, -9, 12, 32});  // 13 and twice 8 are 29
  CHECK(window(1, 2, {Border::periodic, Border::replicated}) == std::vector<int>{-9, 0, 20, 4});
}

TEST_CASE("networks with periodic columns know no seam: rolling the globe by whole steps rolls the estimate") {
  const auto x = test::random_operand<float>({.batch = 2, .height = 6, .width = 12, .channels = 2}, 1);
  const auto check = [&](const std::vector<float>& y, const std::vector<float>& of_rolled) {
    CHECK(test::relative_difference(of_rolled, rolled({x.shape.with_channels(1), y}, 4).values) < test::tolerance::float_network);
  };
  const auto there = rolled(x, 4);
  check(estimate<nn::UNet>({.hidden = 16, .borders = globe}, x), estimate<nn::UNet>({.hidden = 16, .borders = globe}, there));
  check(estimate<nn::SpaceTimeUNet>({.hidden = 16, .borders = globe}, x),
        estimate<nn::SpaceTimeUNet>({.hidden = 16, .borders = globe}, there));
  // With zero borders they do know it.
  CHECK(test::relative_difference(estimate<nn::UNet>({.hidden = 16}, there),
                                  rolled({x.shape.with_channels(1), estimate<nn::UNet>({.hidden = 16}, x)}, 4).values) > 1e-2);
}

TEST_CASE("networks with periodic columns take any number of them, and see across the seam") {
  auto x = test::random_operand<float>({.height = 5, .width = 13, .channels = 2}, 1);
  for (const bool recompute : {false, true}) {
    cpu::Device device({.threads = 1});
    Parameters<float> parameters;
    const nn::UNet unet({.hidden = 8, .borders = globe, .recompute = recompute}, parameters, 3);
    const float times[] = {0.4f};
    const auto apply = [&](auto& g, const auto& v) { return unet(g, v[0], times); };
    const auto pass = test::train_pass<float>(device, parameters, {x}, apply);
    CHECK(pass.shape == Shape{.height = 5, .width = 13});
    CHECK(test::all_finite(pass.result));
    CHECK(test::all_finite(pass.parameter_gradients));
    auto other = x;
    other.values[2 * (2 * 13 + 12)] += 1;  // the last column of a row changes the first's estimate
    const auto changed = test::infer_pass<float>(device, parameters, {other}, apply);
    CHECK(changed[2 * 13] != pass.result[2 * 13]);
  }
}

TEST_CASE("networks with borders: gradients of every parameter are central differences") {
  cpu::Device device({.threads = 1});
  Parameters<double> parameters;
  const nn::UNet unet({.inputs = 1, .hidden = 4, .multipliers = {1, 1}, .borders = globe}, parameters, 3);
  const double times[] = {0.4};
  const auto apply = [&](auto& g, const auto& v) { return unet(g, v[0], times); };
  const auto x = test::random_operand<double>({.height = 2, .width = 3, .channels = 1}, 1);
  const auto pass = test::train_pass<double>(device, parameters, {x}, apply);
  const auto weights = test::normals<double>(pass.result.size(), 999);
  for (const auto& entry : parameters.entries()) {  // the first and the last number of each
    double largest = 0;
    for (std::size_t i = 0; i < entry.at.size; ++i)
      largest = std::max(largest, std::abs(pass.parameter_gradients[entry.at.offset + i]));
    for (const std::size_t i : {std::size_t{0}, entry.at.size - 1}) {
      const double slope = test::central_difference(
          parameters.value(entry.at)[i],
          [&] {
            const auto y = test::infer_pass<double>(device, parameters, {x}, apply);
            double sum = 0;
            for (std::size_t j = 0; j < y.size(); ++j) sum += weights[j] * y[j];
            return sum;
          },
          test::network_step);
      INFO(entry.name);
      CHECK(std::abs(slope - pass.parameter_gradients[entry.at.offset + i]) < test::tolerance::network_gradient * largest);
    }
  }
}
