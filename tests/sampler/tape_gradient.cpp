#include "lacuna/sampler/tape_gradient.hpp"

#include <cmath>
#include <vector>

#include "catch.hpp"
#include "lacuna/ops/convolution.hpp"
#include "lacuna/ops/masked_loss.hpp"
#include "lacuna/sampler/guidance.hpp"
#include "support/fill.hpp"

using namespace lacuna;
using sampler::TapeGradient;

namespace {

/// Mean of (x - target)^2 where queried.
struct Misfit {
  std::vector<float> target;
  std::vector<std::uint8_t> query;
  template <class T>
  double operator()(Graph<T>& graph, const Variable<T>& x) const {
    return ops::masked_loss(graph, x, target.data(), query.data());
  }
};

/// Mean square of a 3 x 3 convolution of an image of 2 variables.
struct Filtered {
  ops::ConvolutionParameters filter;
  std::vector<float> zero = std::vector<float>(100);
  std::vector<std::uint8_t> everywhere = std::vector<std::uint8_t>(100, 1);

  explicit Filtered(Parameters<double>& parameters)
      : filter{parameters.add("filter", {1, 3, 3, 2}), parameters.add("bias", {1}, 0.3), 2, 1, 3, 1, 0} {
    parameters.fill_uniform(filter.weight, 1.0, 5);
  }
  double operator()(Graph<double>& graph, const Variable<double>& x) const {
    return ops::masked_loss(graph, ops::convolution(graph, filter, x), zero.data(), everywhere.data());
  }
};

}  // namespace

TEST_CASE("Tape gradient: a loss on the state itself, by hand") {
  cpu::Device device({.threads = 1});
  Parameters<double> none;
  TapeGradient<Misfit, double> gradient(device, none, {1, 1, 1, 4, 1}, {{1, 2, 0, 4}, {1, 1, 0, 0}});
  const std::vector<double> x{3, 3, std::nan(""), 7};
  std::vector<double> out(4, 9);
  gradient(x, out);
  CHECK(out == std::vector<double>{2, 1, 0, 0});  // 2 (x - target) / 2
  CHECK(gradient.value() == (4 + 1) / 2.0);
}

TEST_CASE("Tape gradient: central differences through a convolution; members alone and beside others") {
  cpu::Device device({.threads = 1});
  Parameters<double> parameters;
  const Shape member{1, 1, 5, 6, 2};
  TapeGradient<Filtered, double> gradient(device, parameters, member, Filtered(parameters));
  auto x = test::normals<double>(2 * member.size(), 1);
  std::vector<double> both(x.size()), alone(member.size()), unused(x.size());
  gradient(x, both);
  for (const std::size_t i : {std::size_t{0}, std::size_t{17}, std::size_t{59}, std::size_t{60}, std::size_t{101}}) {
    const double h = 1e-5, kept = x[i];
    x[i] = kept + h;
    gradient(x, unused);
    const double above = gradient.value();
    x[i] = kept - h;
    gradient(x, unused);
    const double below = gradient.value();
    x[i] = kept;
    CHECK(both[i] == Approx((above - below) / (2 * h)).epsilon(1e-7).margin(1e-9));
  }
  gradient(std::span<const double>(x).subspan(member.size()), alone);
  CHECK(alone == std::vector<double>(both.begin() + static_cast<std::ptrdiff_t>(member.size()), both.end()));
}

TEST_CASE("Tape gradient: it drives a residual") {
  cpu::Device device({.threads = 1});
  Parameters<float> none;
  TapeGradient<Misfit> gradient(device, none, {1, 1, 1, 2, 1}, {{5, 5}, {1, 0}});
  const auto slope = [&](std::span<const float> x, std::span<float> out) { gradient(x, out); };
  sampler::Residual penalty(slope, 0.5);
  static_assert(sampler::Penalty<decltype(penalty)>);
  std::vector<float> estimate{1, 1};
  penalty(0.25, estimate);
  CHECK(estimate == std::vector<float>{2, 1});  // 1 - 0.5 0.25 2 (1 - 5)
}

TEST_CASE("Tape gradient: a penalty that does not depend on the state is flat; parts of members are refused") {
  cpu::Device device({.threads = 1});
  Parameters<double> none;
  const auto constant = [](Graph<double>&, const Variable<double>&) { return 3.0; };
  using Gradient = TapeGradient<decltype(constant), double>;
  Gradient gradient(device, none, {1, 1, 1, 2, 1}, constant);
  std::vector<double> x(4, 1.0), out(4, 9.0);
  gradient(x, out);
  CHECK(out == std::vector<double>(4, 0.0));
  CHECK(gradient.value() == 6);
  std::vector<double> odd(3), shorter(2);
  CHECK_THROWS_AS(gradient(odd, odd), ShapeError);
  CHECK_THROWS_AS(gradient(x, shorter), ShapeError);
  CHECK_THROWS_AS(Gradient(device, none, {2, 1, 1, 2, 1}, constant), ShapeError);
}
