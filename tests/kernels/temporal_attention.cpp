#include "temporal_attention.cuh"

#include <array>

#include "catch.hpp"
#include "cuda_emulation/buffer.hpp"
#include "kernels/attention_core.hpp"
#include "kernels/orders.hpp"
#include "lacuna/ops/temporal_attention.hpp"
#include "support/tolerances.hpp"

using namespace lacuna;
using cuda_emulation::Buffer;

namespace {

/// In numbers that S holds.
struct Case {
  int batch, frames, pixels, heads, features;
  std::vector<float> qkv, grad_o, bias, frequencies;

  template <class S>
  static Case of(int batch, int frames, int pixels, int heads, int features) {
    const auto size = static_cast<std::size_t>(batch * frames * pixels * heads * features);
    Case c{batch,
           frames,
           pixels,
           heads,
           features,
           test::normals_of<S>(3 * size, 1),
           test::normals_of<S>(size, 3),
           test::normals<float>(static_cast<std::size_t>(ops::position_buckets * heads), 2),
           {}};
    for (int i = 0; i < features / 2; ++i) c.frequencies.push_back(1.0f / static_cast<float>(1 + 3 * i));
    return c;
  }
  Shape shape() const { return {.batch = batch, .frames = frames, .width = pixels, .channels = 3 * heads * features}; }
};

template <class S>
struct Outcome {
  test::AttentionCore<S> core;
  std::vector<float> grad_bias;

  bool same(const Outcome& other) const {
    return test::same_bits(core.o, other.core.o) && test::same_bits(core.grad_qkv, other.core.grad_qkv) &&
           grad_bias == other.grad_bias;
  }
};

Outcome<float> on_cpu(const Case& c) {
  Parameters<double> p;
  const auto layer = test::identity_attention(p, c.heads, c.features);
  const ops::TimePositions positions{p.add("bias", {ops::position_buckets, c.heads}), p.add("frequencies", {c.features / 2})};
  std::copy(c.bias.begin(), c.bias.end(), p.value(positions.bias));
  std::copy(c.frequencies.begin(), c.frequencies.end(), p.value(positions.frequencies));
  Outcome<float> outcome{test::attention_core_on_cpu(p, c.shape(), c.qkv, c.grad_o,
                                                     [&](auto& graph, const auto& x, const auto& residual) {
                                                       return ops::temporal_attention(graph, layer, positions, x, residual);
                                                     }),
                         {}};
  for (std::size_t i = 0; i < c.bias.size(); ++i) outcome.grad_bias.push_back(static_cast<float>(p.gradient(positions.bias)[i]));
  return outcome;
}

template <class S>
Outcome<S> on_gpu(const Case& c, std::size_t offset) {
  const std::size_t angles = static_cast<std::size_t>(c.frames * c.features / 2);
  std::vector<float> cosines(angles), sines(angles);
  ops::rotary_tables(c.frequencies.data(), c.frames, c.features / 2, cosines.data(), sines.data());
  const Buffer<S> qkv(test::as<S>(c.qkv), offset), o(c.grad_o.size(), offset), grad_o(test::as<S>(c.grad_o), offset),
      grad_qkv(c.qkv.size(), offset);
  const Buffer<float> cosine(cosines, offset), sine(sines, offset), bias(c.bias, offset),
      grad_bias(std::vector<float>(c.bias.size(), 0.0f), offset);
  kernels::TemporalAttention<S> t{.qkv = qkv,
                                  .cosine = cosine,
                                  .sine = sine,
                                  .bias = bias,
                                  .grad_o = nullptr,
                                  .result = o,
                                  .sums = nullptr,
                                  .pixels = static_cast<std::size_t>(c.pixels),
                                  .batch = c.batch,
                                  .frames = c.frames,
                                  .heads = c.heads,
                                  .features = c.features};
  kernels::temporal_attention_forward<S>({}, t);
  const Buffer<float> sums(kernels::temporal_attention_sums(t));
  t.grad_o = grad_o;
  t.result = grad_qkv;
  t.sums = sums;
  kernels::temporal_attention_backward<S>({}, t, grad_bias);
  CHECK((o.intact() && grad_qkv.intact() && sums.intact() && grad_bias.intact()));
  return {{o.content(), grad_qkv.content()}, grad_bias.content()};
}

template <class S>
void check_near(const Outcome<S>& given, const Outcome<float>& expected) {
  CHECK(test::within_one_rounding(given.core.o, expected.core.o));
  CHECK(test::within_one_rounding(given.core.grad_qkv, expected.core.grad_qkv));
  CHECK(test::relative_difference(given.grad_bias, expected.grad_bias) < test::tolerance::kernel);
}

}  // namespace

TEMPLATE_TEST_CASE("Temporal attention kernels: agree with the CPU for heads, features and frames of many sizes, aligned or not",
                   "", float, Bfloat16) {
  using S = TestType;
  for (const auto& [batch, frames, pixels, heads, features] :
       {std::array{1, 1, 1, 1, 2}, std::array{2, 3, 7, 2, 4}, std::array{1, 5, 3, 3, 6}, std::array{2, 20, 5, 2, 4},
        std::array{1, 9, 3, 2, 10}, std::array{1, 33, 2, 1, 8}, std::array{1, 8, 2, 2, 32}}) {
    INFO(frames << " frames, " << pixels << " pixels, " << heads << " heads of " << features);
    const auto c = Case::of<S>(batch, frames, pixels, heads, features);
    const auto expected = on_cpu(c);
    for (const std::size_t offset : {0u, 1u, 2u, 4u}) check_near(on_gpu<S>(c, offset), expected);
  }
}

TEST_CASE("Temporal attention kernels: angles agree with the CPU's, also after many turns") {
  const std::vector<float> frequencies{1.0f, 0.3f, 0.0078125f, 2.5f, 0.0f};
  constexpr int frames = 301, pairs = 5;
  constexpr std::size_t angles = frames * pairs;
  std::vector<float> expected(2 * angles);
  ops::rotary_tables(frequencies.data(), frames, pairs, expected.data(), expected.data() + angles);
  const Buffer<float> from(frequencies);
  Buffer<float> tables(2 * angles);
  kernels::rotary_tables({}, from, frames, pairs, tables);
  CHECK(tables.intact());
  CHECK(test::relative_difference(tables.content(), expected) < test::tolerance::kernel);
}

TEMPLATE_TEST_CASE("Temporal attention kernels: more units than a block holds, in every order, whose choice changes no bit", "",
                   float, Bfloat16) {
  const auto c = Case::of<TestType>(2, 4, 101, 2, 4);
  const auto expected = on_cpu(c);
  const auto first = on_gpu<TestType>(c, 0);
  test::in_every_order([&] {
    const auto given = on_gpu<TestType>(c, 0);
    CHECK(given.same(first));
    check_near(given, expected);
  });
}

TEST_CASE("Temporal attention kernels: more units than a full grid takes at once") {
  const auto c = Case::of<float>(1, 2, 32 * 512 + 5, 1, 2);
  check_near(on_gpu<float>(c, 0), on_cpu(c));
}

TEMPLATE_TEST_CASE("Temporal attention kernels: NaN stays within its pixel and head", "", float, Bfloat16) {
  auto c = Case::of<TestType>(1, 3, 5, 2, 4);
  const auto clean = on_gpu<TestType>(c, 0);
  c.qkv[(1 * 5 + 3) * 24 + 8 + 5] = test::nan<float>;  // frame 1, pixel 3, a feature of k of the second head
  const auto given = on_gpu<TestType>(c, 0);
  const auto check = [](const std::vector<TestType>& with, const std::vector<TestType>& without, std::size_t per_pixel) {
    for (std::size_t i = 0; i < with.size(); ++i) {
      const bool touched = i / per_pixel % 5 == 3 && i % 8 >= 4;
      INFO(i);
      const auto value = static_cast<float>(with[i]);
      CHECK((touched ? std::isnan(value) : value == static_cast<float>(without[i])));
    }
  };
  check(given.core.o, clean.core.o, 8);
  check(given.core.grad_qkv, clean.core.grad_qkv, 24);
}

TEST_CASE("Temporal attention kernels: what does not fit is named") {
  const auto message = [](int frames, int features) {
    return test::message_of<ShapeError>([&] {
      kernels::temporal_attention_forward<float>({},
                                                 {.pixels = 1, .batch = 1, .frames = frames, .heads = 1, .features = features});
    });
  };
  CHECK(message(4, 3).find("3 features") != std::string::npos);
  CHECK(message(200, 4).find("200 frames") != std::string::npos);
}
