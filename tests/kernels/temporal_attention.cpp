#include "temporal_attention.cuh"

#include "catch.hpp"
#include "cuda_emulation/buffer.hpp"
#include "kernels/attention_core.hpp"
#include "kernels/orders.hpp"
#include "lacuna/ops/temporal_attention.hpp"
#include "support/tolerances.hpp"

using namespace lacuna;
using cuda_emulation::Buffer;

namespace {

struct Case {
  int batch, frames, pixels, heads, features;
  test::Operand<float> qkv;
  std::vector<float> bias, frequencies;

  Case(int batch_, int frames_, int pixels_, int heads_, int features_)
      : batch(batch_),
        frames(frames_),
        pixels(pixels_),
        heads(heads_),
        features(features_),
        qkv(test::random_operand<float>({.batch = batch, .frames = frames, .width = pixels, .channels = 3 * heads_ * features_},
                                        1)),
        bias(test::normals<float>(static_cast<std::size_t>(ops::position_buckets * heads), 2)) {
    for (int i = 0; i < features / 2; ++i) frequencies.push_back(1.0f / static_cast<float>(1 + 3 * i));
  }
};

struct Outcome {
  test::AttentionCore core;
  std::vector<float> grad_bias;
  bool operator==(const Outcome&) const = default;
};

Outcome on_cpu(const Case& c) {
  Parameters<float> p;
  const auto layer = test::identity_attention(p, c.heads, c.features);
  const ops::TimePositions positions{p.add("bias", {ops::position_buckets, c.heads}), p.add("frequencies", {c.features / 2})};
  std::copy(c.bias.begin(), c.bias.end(), p.value(positions.bias));
  std::copy(c.frequencies.begin(), c.frequencies.end(), p.value(positions.frequencies));
  Outcome outcome{test::attention_core_on_cpu(p, c.qkv, layer.width(),
                                              [&](auto& graph, const auto& x, const auto& residual) {
                                                return ops::temporal_attention(graph, layer, positions, x, residual);
                                              }),
                  {}};
  outcome.grad_bias.assign(p.gradient(positions.bias), p.gradient(positions.bias) + c.bias.size());
  return outcome;
}

Outcome on_gpu(const Case& c, std::size_t offset) {
  const std::size_t size = c.qkv.values.size(), angles = static_cast<std::size_t>(c.frames * c.features / 2);
  std::vector<float> cosines(angles), sines(angles);
  ops::rotary_tables(c.frequencies.data(), c.frames, c.features / 2, cosines.data(), sines.data());
  Buffer<float> qkv(c.qkv.values, offset), cosine(cosines, offset), sine(sines, offset), bias(c.bias, offset),
      o(size / 3, offset), grad_o(test::attention_grad_o(size, c.heads * c.features), offset), grad_qkv(size, offset),
      grad_bias(std::vector<float>(c.bias.size(), 0.0f), offset);
  kernels::TemporalAttention t{.qkv = qkv,
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
  kernels::temporal_attention_forward({}, t);
  Buffer<float> sums(kernels::temporal_attention_sums(t));
  t.grad_o = grad_o;
  t.result = grad_qkv;
  t.sums = sums;
  kernels::temporal_attention_backward({}, t, grad_bias);
  CHECK((o.intact() && grad_qkv.intact() && sums.intact() && grad_bias.intact()));
  return {{o.content(), grad_qkv.content()}, grad_bias.content()};
}

void check_near(const Outcome& given, const Outcome& expected) {
  CHECK(test::relative_difference(given.core.o, expected.core.o) < test::tolerance::kernel);
  CHECK(test::relative_difference(given.core.grad_qkv, expected.core.grad_qkv) < test::tolerance::kernel);
  CHECK(test::relative_difference(given.grad_bias, expected.grad_bias) < test::tolerance::kernel);
}

}  // namespace

TEST_CASE("Temporal attention kernels: agree with the CPU for heads, features and frames of many sizes, aligned or not") {
  for (const auto& c : {Case(1, 1, 1, 1, 2), Case(2, 3, 7, 2, 4), Case(1, 5, 3, 3, 6), Case(2, 20, 5, 2, 4), Case(1, 9, 3, 2, 10),
                        Case(1, 33, 2, 1, 8), Case(1, 8, 2, 2, 32)}) {
    INFO(c.frames << " frames, " << c.pixels << " pixels, " << c.heads << " heads of " << c.features);
    const auto expected = on_cpu(c);
    for (const std::size_t offset : {0u, 1u}) check_near(on_gpu(c, offset), expected);
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

TEST_CASE("Temporal attention kernels: more units than a block holds, in every order, whose choice changes no bit") {
  const Case c(2, 4, 101, 2, 4);
  const auto expected = on_cpu(c), first = on_gpu(c, 0);
  test::in_every_order([&] {
    const auto given = on_gpu(c, 0);
    CHECK(given == first);
    check_near(given, expected);
  });
}

TEST_CASE("Temporal attention kernels: more units than a full grid takes at once") {
  const Case c(1, 2, 32 * 512 + 5, 1, 2);
  check_near(on_gpu(c, 0), on_cpu(c));
}

TEST_CASE("Temporal attention kernels: NaN stays within its pixel and head") {
  Case c(1, 3, 5, 2, 4);
  const auto clean = on_gpu(c, 0);
  c.qkv.values[(1 * 5 + 3) * 24 + 8 + 5] = test::nan<float>;  // frame 1, pixel 3, a feature of k of the second head
  const auto given = on_gpu(c, 0);
  for (std::size_t i = 0; i < given.core.o.size(); ++i) {
    const bool touched = i / 8 % 5 == 3 && i % 8 >= 4;
    INFO(i);
    CHECK((touched ? std::isnan(given.core.o[i]) : given.core.o[i] == clean.core.o[i]));
  }
  for (std::size_t i = 0; i < given.core.grad_qkv.size(); ++i) {
    const bool touched = i / 24 % 5 == 3 && i % 8 >= 4;
    INFO(i);
    CHECK((touched ? std::isnan(given.core.grad_qkv[i]) : given.core.grad_qkv[i] == clean.core.grad_qkv[i]));
  }
}

TEST_CASE("Temporal attention kernels: what does not fit is named") {
  const auto message = [](int frames, int features) {
    return test::message_of<ShapeError>([&] {
      kernels::temporal_attention_forward({}, {.pixels = 1, .batch = 1, .frames = frames, .heads = 1, .features = features});
    });
  };
  CHECK(message(4, 3).find("3 features") != std::string::npos);
  CHECK(message(200, 4).find("200 frames") != std::string::npos);
}
