#include "conditioned_linear.cuh"

#include "catch.hpp"
#include "cuda_emulation/buffer.hpp"
#include "kernels/orders.hpp"
#include "kernels/scalars.hpp"
#include "support/compare.hpp"
#include "support/probe.hpp"

using namespace lacuna;
using cuda_emulation::Buffer;

namespace {

/// A weight (C, before + axes), of which the last columns act on the coordinates.
template <class S>
struct Case {
  kernels::Conditioning sizes;
  bool timed;
  std::vector<float> y, grad_y, bias, features, weight, grad_bias, grad_weight;
  static constexpr std::size_t before = 3;

  Case(const ops::GridExtents& grid, int batch, int channels, int axes, bool timed_)
      : sizes{grid, batch, channels, axes, before + static_cast<std::size_t>(axes)}, timed(timed_) {
    const auto c = static_cast<std::size_t>(channels), b = static_cast<std::size_t>(batch), n = b * grid.cells() * c;
    y = test::normals_of<S>(n, 1);
    grad_y = test::normals_of<S>(n, 2);
    bias = test::normals<float>(c, 3);
    features = test::normals<float>(b * c, 4);
    weight = test::normals<float>(c * sizes.row, 5);
    grad_bias = test::normals<float>(c, 6);
    grad_weight = test::normals<float>(c * sizes.row, 7);
  }
  std::size_t channels() const { return static_cast<std::size_t>(sizes.channels); }
  std::size_t axes() const { return static_cast<std::size_t>(sizes.axes); }
};

template <class Y>
struct Outcome {
  std::vector<Y> y;
  std::vector<float> sums, grad_bias, grad_weight;
};

/// The plain formulas, summed in double.
template <class S>
Outcome<float> plain(const Case<S>& c) {
  const std::size_t cells = c.sizes.cells(), channels = c.channels(), parts = c.sizes.parts();
  Outcome<float> o{c.y, std::vector<float>(c.sizes.sums()), c.grad_bias, c.grad_weight};
  std::vector<double> sums(c.sizes.sums(), 0.0);
  for (std::size_t i = 0; i < c.y.size() / channels; ++i) {
    const std::size_t b = i / cells;
    const auto at = ops::grid_coordinates<float>(c.sizes.grid, static_cast<unsigned>(i % cells), c.sizes.axes);
    for (std::size_t j = 0; j < channels; ++j) {
      const std::size_t e = i * channels + j;
      float offset = c.bias[j] + (c.timed ? c.features[b * channels + j] : 0.0f);
      for (std::size_t a = 0; a < c.axes(); ++a) offset += at.along[a] * c.weight[j * c.sizes.row + c.before + a];
      o.y[e] += offset;
      for (std::size_t part = 0; part < parts; ++part)
        sums[(b * parts + part) * channels + j] += static_cast<double>(part == 0 ? 1.0f : at.along[part - 1]) * c.grad_y[e];
    }
  }
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const std::size_t part = i / channels % parts, j = i % channels;
    o.sums[i] = static_cast<float>(sums[i]);
    (part == 0 ? o.grad_bias[j] : o.grad_weight[j * c.sizes.row + c.before + part - 1]) += o.sums[i];
  }
  return o;
}

template <class S>
Outcome<S> on_gpu(const Case<S>& c, std::size_t offset) {
  Buffer<S> y(test::as<S>(c.y), offset), grad_y(test::as<S>(c.grad_y), offset);
  Buffer<float> bias(c.bias, offset), features(c.features, offset), weight(c.weight, offset),
      workspace(c.sizes.template workspace<S>()), sums(c.sizes.sums(), offset), grad_bias(c.grad_bias, offset),
      grad_weight(c.grad_weight, offset);
  kernels::condition<S>({}, c.sizes, bias, c.timed ? features.data() : nullptr, weight + c.before, y);
  kernels::condition_backward<S>({}, c.sizes, grad_y, workspace, sums, grad_bias, grad_weight + c.before);
  CHECK((y.intact() && workspace.intact() && sums.intact() && grad_bias.intact() && grad_weight.intact()));
  return {y.content(), sums.content(), grad_bias.content(), grad_weight.content()};
}

template <class S>
void check_near(const Outcome<S>& given, const Outcome<float>& expected) {
  CHECK(test::within_one_rounding(given.y, expected.y));
  CHECK(test::relative_difference(given.sums, expected.sums) < test::tolerance::kernel);
  CHECK(test::relative_difference(given.grad_bias, expected.grad_bias) < test::tolerance::kernel);
  CHECK(test::relative_difference(given.grad_weight, expected.grad_weight) < test::tolerance::kernel);
}

template <class S>
bool same(const Outcome<S>& a, const Outcome<S>& b) {
  return test::same_bits(a.y, b.y) && a.sums == b.sums && a.grad_bias == b.grad_bias && a.grad_weight == b.grad_weight;
}

}  // namespace

TEMPLATE_TEST_CASE("Conditioned linear kernels: the plain formulas for any grid and number of channels, in every order", "",
                   float, Bfloat16) {
  for (const auto& grid : {ops::GridExtents{1, 1, 1}, ops::GridExtents{3, 5, 7}, ops::GridExtents{2, 9, 31}})
    for (const int channels : {1, 4, 6, 16, 33, 264})
      for (const int axes : {2, 3}) {
        const Case<TestType> c(grid, 2, channels, axes, axes == 3);
        INFO(grid.cells() << " cells, " << channels << " channels, " << axes << " axes");
        const auto expected = plain(c);
        const auto first = on_gpu(c, 0);
        check_near(first, expected);
        CHECK(same(on_gpu(c, 1), first));
        if (grid.frames == 3 && channels >= 16) test::in_every_order([&] { CHECK(same(on_gpu(c, 0), first)); });
      }
}

TEMPLATE_TEST_CASE("Conditioned linear kernels: many samples share out the runs, and there may be more samples than runs", "",
                   float, Bfloat16) {
  const auto runs = [](int batch) {
    return kernels::Conditioning{{1, 300, 500}, batch, 32, 2, 2}.template plan<TestType>().runs;
  };
  CHECK(runs(1) == (kernels::ColumnSumsPlan::of<TestType>(150000, 32).runs));
  CHECK(runs(64) == 16);
  CHECK(runs(2000) == 1);
  const Case<TestType> c({1, 3, 2}, 1025, 3, 2, true);
  check_near(on_gpu(c, 0), plain(c));
}

TEST_CASE("Conditioned linear kernels: NaN stays in its element, and in the sums of its channel") {
  Case<float> c({2, 3, 5}, 2, 6, 3, false);
  const auto clean = on_gpu(c, 0);
  c.y[17 * 6 + 4] = c.grad_y[17 * 6 + 4] = test::nan<float>;
  const auto given = on_gpu(c, 0);
  for (std::size_t i = 0; i < given.y.size(); ++i) CHECK((i == 17 * 6 + 4 ? std::isnan(given.y[i]) : given.y[i] == clean.y[i]));
  for (std::size_t i = 0; i < given.sums.size(); ++i)
    CHECK((i < 24 && i % 6 == 4 ? std::isnan(given.sums[i]) : given.sums[i] == clean.sums[i]));
}

TEST_CASE("Conditioned linear kernels: a wrong number of axes is named") {
  const Case<float> c({1, 1, 1}, 1, 1, 4, false);
  CHECK(test::message_of<ShapeError>([&] { on_gpu(c, 0); }).find("along 4 axes") != std::string::npos);
}
