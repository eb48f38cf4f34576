#include "lacuna/ops/cast.hpp"

#include <cmath>

#include "catch.hpp"
#include "support/bfloat16.hpp"

using namespace lacuna;

namespace {

const auto there_and_back = [](Graph<float>& graph, const auto& x) {
  return ops::cast<float>(graph, ops::cast<Bfloat16>(graph, x[0]));
};

std::vector<float> rounded(std::vector<float> x) {
  for (float& value : x) value = static_cast<float>(Bfloat16(value));
  return x;
}

}  // namespace

TEST_CASE("Cast: values and gradients are rounded element by element, the same for any number of threads") {
  Parameters<float> parameters;
  for (const int cells : {1, 15, 16, 33}) {
    const auto x = test::random_operand<float>({.width = cells, .channels = 3}, 1);
    cpu::Device one({.threads = 1}), three({.threads = 3});
    const auto pass = test::train_pass<float>(one, parameters, {x}, there_and_back);
    CHECK(pass.result == rounded(x.values));
    CHECK(pass.operand_gradients[0] == rounded(test::normals<float>(x.values.size(), 999)));
    CHECK(pass.margins_intact);
    CHECK(pass == test::train_pass<float>(three, parameters, {x}, there_and_back));
  }
}

TEST_CASE("Cast: NaN stays NaN") {
  cpu::Device device({.threads = 1});
  Parameters<float> parameters;
  auto x = test::random_operand<float>({.channels = 40}, 1);
  x.values[3] = x.values[37] = test::nan<float>;
  const auto y = test::infer_pass<float>(device, parameters, {x}, there_and_back);
  for (std::size_t i = 0; i < y.size(); ++i) CHECK(std::isnan(y[i]) == (i == 3 || i == 37));
}

TEST_CASE("Cast: gradients of several uses of a bfloat16 variable are added") {
  cpu::Device device({.threads = 1});
  Parameters<float> parameters;
  const auto x = test::narrow_operand({.width = 11, .channels = 3}, 1);
  const auto both = [](Graph<float>& graph, const auto& v) {
    const auto narrow = ops::cast<Bfloat16>(graph, v[0]);
    const auto first = ops::cast<float>(graph, narrow), second = ops::cast<float>(graph, narrow);
    float* gradient = graph.take(first.shape.size());
    std::fill_n(gradient, first.shape.size(), 0.25f);
    graph.contribute(first, gradient);
    return second;
  };
  const auto pass = test::train_pass<float>(device, parameters, {x}, both);
  auto expected = rounded(test::normals<float>(x.values.size(), 999));
  for (float& g : expected) g = static_cast<float>(Bfloat16(g + 0.25f));
  CHECK(pass.operand_gradients[0] == expected);
}
