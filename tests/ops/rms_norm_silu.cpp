#include "lacuna/ops/rms_norm_silu.hpp"

#include <cmath>

#include "catch.hpp"
#include "support/bfloat16.hpp"
#include "support/probe.hpp"
#include "support/tolerances.hpp"

using namespace lacuna;

namespace {

/// The op with a gain of its own; operands: x, then what `modulated` and `residual` call for.
template <class T>
struct Norm {
  Norm(int channels, bool has_modulation, bool has_residual) : modulated(has_modulation), residual(has_residual) {
    gain = parameters.add("gain", {channels});
    parameters.values() = test::normals<T>(parameters.size(), 5);
    for (T& g : parameters.values()) g = T(1) + T(0.3) * g;
  }
  std::vector<test::Operand<T>> operands(const Shape& shape) const {
    std::vector all{test::random_operand<T>(shape, 1)};
    if (modulated) all.push_back(test::random_operand<T>({.batch = shape.batch, .channels = 2 * shape.channels}, 2));
    if (residual) all.push_back(test::random_operand<T>(shape, 3));
    return all;
  }
  auto apply() const {
    return [this](Graph<T>& graph, const auto& x) {
      return ops::rms_norm_silu(graph, gain, x[0], modulated ? &x[1] : nullptr, residual ? &x[modulated ? 2 : 1] : nullptr);
    };
  }
  Parameters<T> parameters;
  Parameter gain;
  bool modulated, residual;
};

double silu(double x) { return x / (1 + std::exp(-x)); }

}  // namespace

TEST_CASE("RMSNorm + SiLU: by hand") {
  cpu::Device device({.threads = 1});
  Norm<double> norm(2, true, true);
  norm.parameters.values() = {2, 1};
  const std::vector<test::Operand<double>> operands{
      {{.channels = 2}, {3, 4}}, {{.channels = 4}, {0.5, 0, 0.25, -1}}, {{.channels = 2}, {10, 20}}};
  const auto y = test::train_pass(device, norm.parameters, operands, norm.apply()).result;
  const double root = std::sqrt(2.0);
  CHECK(y[0] == Approx(silu(root * 0.6 * 2 * 1.5 + 0.25) + 10).epsilon(1e-14));
  CHECK(y[1] == Approx(silu(root * 0.8 - 1) + 20).epsilon(1e-14));
}

TEST_CASE("RMSNorm + SiLU: gradients of every operand and the gain are central differences") {
  cpu::Device device({.threads = 1});
  for (const bool modulated : {false, true})
    for (const bool residual : {false, true})
      for (const int channels : {1, 5, 16}) {
        Norm<double> norm(channels, modulated, residual);
        const auto operands = norm.operands({.batch = 2, .height = 2, .width = 3, .channels = channels});
        INFO(channels << " channels, modulated " << modulated << ", residual " << residual);
        if (channels == 1) {  // x / |x| is a step: its gradient is zero, which a relative error cannot say
          const auto pass = test::train_pass(device, norm.parameters, operands, norm.apply());
          for (const double g : pass.operand_gradients[0]) CHECK(std::abs(g) < 1e-12);
          continue;
        }
        CHECK(test::gradient_error(device, norm.parameters, operands, norm.apply()) < test::tolerance::gradient);
      }
}

TEST_CASE("RMSNorm + SiLU: float agrees with double for vector and other widths, and ends where it should") {
  cpu::Device device({.threads = 1});
  for (const int channels : {1, 3, 15, 16, 31, 32, 33, 48, 64, 96, 128, 160})
    for (const int width : {1, 31, 33})
      for (const bool full : {false, true}) {
        Norm<float> norm(channels, full, full);
        Norm<double> exact(channels, full, full);
        const Shape shape{.batch = 2, .width = width, .channels = channels};
        const auto pass = test::train_pass(device, norm.parameters, norm.operands(shape), norm.apply());
        const auto expected = test::train_pass(device, exact.parameters, exact.operands(shape), exact.apply());
        INFO(channels << " channels, " << width << " pixels");
        CHECK(test::relative_difference(pass.result, expected.result) < test::tolerance::vector_against_plain);
        for (std::size_t k = channels == 1 ? 1 : 0; k < pass.operand_gradients.size(); ++k)
          CHECK(test::relative_difference(pass.operand_gradients[k], expected.operand_gradients[k]) < test::tolerance::float_sum);
        CHECK(test::relative_difference(pass.parameter_gradients, expected.parameter_gradients) < test::tolerance::float_sum);
        CHECK(pass.margins_intact);
      }
}

TEST_CASE("RMSNorm + SiLU: the vector kernels agree with the plain one") {
  constexpr int channels = 32;
  constexpr std::size_t pixels = 33, size = pixels * channels;
  const auto x = test::normals<float>(size, 1), other = test::normals<float>(size, 2), gain = test::normals<float>(channels, 3),
             scale_shift = test::normals<float>(2 * channels, 4);
  for (const bool modulated : {false, true}) {
    test::Guarded<float> y(size), plain_y(size), sums(2 * channels), plain_sums(2 * channels);
    ops::NormRow<float> row{x.data(), gain.data(), modulated ? scale_shift.data() : nullptr, other.data(), y.data(), nullptr,
                            channels, pixels};
    auto plain = row;
    plain.result = plain_y.data();
    ops::norm_forward_vector<2>(row);
    ops::norm_forward_plain(plain);
    CHECK(test::relative_difference(y.content(), plain_y.content()) < test::tolerance::vector_against_plain);
    row.sums = sums.data();
    plain.sums = plain_sums.data();
    ops::norm_backward_vector<2>(row);
    ops::norm_backward_plain(plain);
    CHECK(test::relative_difference(y.content(), plain_y.content()) < test::tolerance::float_sum);
    CHECK(test::relative_difference(sums.content(), plain_sums.content()) < test::tolerance::float_sum);
    CHECK((y.intact() && sums.intact() && plain_y.intact() && plain_sums.intact()));
  }
}

TEST_CASE("RMSNorm + SiLU: in bfloat16, vector and other widths are within rounding of float") {
  cpu::Device device({.threads = 1});
  for (const int channels : {3, 16, 31, 32, 64, 128})
    for (const bool full : {false, true}) {
      Norm<float> norm(channels, full, full);
      const Shape shape{.batch = 2, .width = 33, .channels = channels};
      auto operands = norm.operands(shape);
      operands.front() = test::narrow_operand(shape, 1);
      operands.back() = full ? test::narrow_operand(shape, 3) : operands.front();
      const auto narrow = [&norm, full](Graph<float>& graph, const auto& x) {
        const auto image = ops::cast<Bfloat16>(graph, x[0]);
        const auto residual = full ? ops::cast<Bfloat16>(graph, x[2]) : Variable<Bfloat16>{};
        return ops::cast<float>(graph,
                                ops::rms_norm_silu(graph, norm.gain, image, full ? &x[1] : nullptr, full ? &residual : nullptr));
      };
      const auto given = test::train_pass(device, norm.parameters, operands, narrow);
      const auto expected = test::train_pass(device, norm.parameters, operands, norm.apply());
      INFO(channels << " channels, modulated with residual " << full);
      CHECK(test::relative_difference(given.result, expected.result) < test::tolerance::bfloat16);
      for (std::size_t k = 0; k < operands.size(); ++k)
        CHECK(test::relative_difference(given.operand_gradients[k], expected.operand_gradients[k]) < test::tolerance::bfloat16);
      CHECK(test::relative_difference(given.parameter_gradients, expected.parameter_gradients) < test::tolerance::bfloat16);
      CHECK(given.margins_intact);
    }
}

TEST_CASE("RMSNorm + SiLU: the same for any number of threads, several runs a sample included") {
  const Shape shape{.batch = 2, .height = 100, .width = 101, .channels = 16};
  Norm<float> norm(16, true, true);
  REQUIRE(ops::NormRuns(shape).per_sample > 1);
  cpu::Device one({.threads = 1}), three({.threads = 3});
  const auto operands = norm.operands(shape);
  const auto pass = test::train_pass(one, norm.parameters, operands, norm.apply());
  CHECK(pass == test::train_pass(one, norm.parameters, operands, norm.apply()));
  CHECK(pass == test::train_pass(three, norm.parameters, operands, norm.apply()));
}

TEST_CASE("RMSNorm + SiLU: NaN stays in its pixel; a pixel of zeros is no division by zero") {
  cpu::Device device({.threads = 1});
  for (const int channels : {3, 32}) {
    Norm<float> norm(channels, false, false);
    auto operands = norm.operands({.width = 5, .channels = channels});
    const auto c = static_cast<std::size_t>(channels);
    operands[0].values[2 * c + 1] = test::nan<float>;
    std::fill_n(operands[0].values.begin() + static_cast<std::ptrdiff_t>(4 * c), c, 0.0f);
    const auto pass = test::train_pass(device, norm.parameters, operands, norm.apply());
    for (std::size_t i = 0; i < pass.result.size(); ++i) {
      CHECK(std::isnan(pass.result[i]) == (i / c == 2));
      CHECK(std::isnan(pass.operand_gradients[0][i]) == (i / c == 2));
    }
    CHECK(pass.result[4 * c] == 0.0f);
  }
}

TEST_CASE("RMSNorm + SiLU: wrong shapes are refused by name") {
  cpu::Device device({.threads = 1});
  Norm<float> norm(4, true, true);
  auto operands = norm.operands({.batch = 2, .channels = 4});
  const auto message = [&] {
    return test::message_of<ShapeError>([&] { test::train_pass(device, norm.parameters, operands, norm.apply()); });
  };
  CHECK(message().empty());
  operands[2] = test::random_operand<float>({.batch = 1, .channels = 4}, 1);
  CHECK(message() == "rms_norm_silu: residual has shape (1, 1, 1, 1, 4), expected (2, 1, 1, 1, 4)");
  operands[1] = test::random_operand<float>({.batch = 2, .channels = 4}, 1);
  CHECK(message() == "rms_norm_silu: scale_shift has shape (2, 1, 1, 1, 4), expected (2, 1, 1, 1, 8)");
  operands[0] = test::random_operand<float>({.batch = 2, .channels = 3}, 1);
  CHECK(message() == "rms_norm_silu: x has shape (2, 1, 1, 1, 3), expected 4 channels");
}
