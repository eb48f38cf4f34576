#pragma once

#include <cmath>

#include "attention_cases.hpp"
#include "catch.hpp"
#include "support/bfloat16.hpp"
#include "support/tolerances.hpp"

/// Checks that every attention op passes; Op::apply(case) makes the op.
namespace lacuna::test {

template <class Op>
void check_gradients() {
  cpu::Device device({.threads = 2});
  for (const auto& [channels, features] : {std::pair(3, 2), std::pair(4, 4)}) {
    AttentionCase<double> c(channels, 2, features, Op::bias, Op::in_time);
    const auto operands = c.operands({.batch = 2, .frames = 3, .height = 2, .width = 3});
    const auto apply = Op::apply(c);
    if (Op::in_time) {  // the frequencies are constants: their gradient is zero, which central differences would not say
      const auto gradients = train_pass(device, c.parameters, operands, apply).parameter_gradients;
      for (std::size_t i = 0; i < c.positions.frequencies.size; ++i) CHECK(gradients[c.positions.frequencies.offset + i] == 0.0);
    }
    CHECK(gradient_error(device, c.parameters, operands, apply, {}, network_step, {"frequencies"}) < tolerance::gradient);
  }
}

template <class Op>
void check_float() {
  cpu::Device device({.threads = 1});
  for (const auto& [channels, features] :
       {std::pair(16, 16), std::pair(32, 32), std::pair(8, 32), std::pair(32, 4), std::pair(5, 6), std::pair(48, 16)})
    for (const auto& [height, width] : {std::pair(1, 1), std::pair(1, 31), std::pair(3, 33)}) {
      AttentionCase<float> c(channels, 2, features, Op::bias, Op::in_time);
      AttentionCase<double> exact(channels, 2, features, Op::bias, Op::in_time);
      const Shape shape{.batch = 2, .frames = 3, .height = height, .width = width};
      const auto pass = train_pass(device, c.parameters, c.operands(shape), Op::apply(c));
      const auto expected = train_pass(device, exact.parameters, exact.operands(shape), Op::apply(exact));
      INFO(channels << " channels, " << features << " features, " << height << " x " << width);
      CHECK(relative_difference(pass.result, expected.result) < tolerance::float_sum);
      CHECK(relative_difference(pass.operand_gradients[0], expected.operand_gradients[0]) < tolerance::float_sum);
      CHECK(relative_difference(pass.operand_gradients[1], expected.operand_gradients[1]) == 0);
      CHECK(relative_difference(pass.parameter_gradients, expected.parameter_gradients) < tolerance::float_sum);
      CHECK(pass.margins_intact);
    }
}

/// A dry pass of an op, in training and inference, spans the memory of a real one.
template <class Apply>
void check_plan(AttentionCase<float>& c, const std::vector<Operand<float>>& operands, const Apply& apply) {
  for (const auto mode : {Mode::train, Mode::infer}) {
    const auto spans = [&](cpu::Device& device, bool dry) {
      Graph<float> graph(device, c.parameters, mode, dry);
      std::vector<Variable<float>> x;
      for (const auto& operand : operands) x.push_back(graph.make(operand.shape));
      for (std::size_t k = 0; !dry && k < x.size(); ++k)
        std::copy(operands[k].values.begin(), operands[k].values.end(), x[k].data);
      const std::size_t live = device.arena().live();
      const auto y = apply(graph, x);
      if (mode == Mode::infer) {
        graph.release(y);
        CHECK(device.arena().live() == live);  // nothing but the result was kept
      } else {
        float* gradient = graph.take(y.shape.size());
        if (!dry) std::fill_n(gradient, y.shape.size(), 1.0f);
        graph.contribute(y, gradient);
        graph.backward();
      }
      return device.arena().high_water();
    };
    cpu::Device planned({.threads = 2}), real({.threads = 2});
    CHECK(spans(planned, true) == spans(real, false));
  }
}

/// Both operands and all images in bfloat16, on operands that it holds; the same for any number of threads, and planned as run.
template <class Op>
void check_bfloat16() {
  cpu::Device one({.threads = 1}), three({.threads = 3});
  for (const auto& [channels, features] : {std::pair(16, 16), std::pair(32, 4), std::pair(5, 6)})
    for (const auto& [height, width] : {std::pair(1, 1), std::pair(3, 33)}) {
      AttentionCase<float> c(channels, 2, features, Op::bias, Op::in_time);
      const Shape shape{.batch = 2, .frames = 3, .height = height, .width = width, .channels = channels};
      const std::vector operands{narrow_operand(shape, 1), narrow_operand(shape, 2)};
      const auto apply = Op::apply(c);
      const auto narrow = in_bfloat16(apply);
      const auto given = train_pass(one, c.parameters, operands, narrow);
      const auto expected = train_pass(one, c.parameters, operands, apply);
      INFO(channels << " channels, " << features << " features, " << height << " x " << width);
      CHECK(relative_difference(given.result, expected.result) < tolerance::bfloat16);
      for (std::size_t k = 0; k < 2; ++k)
        CHECK(relative_difference(given.operand_gradients[k], expected.operand_gradients[k]) < tolerance::bfloat16);
      CHECK(relative_difference(given.parameter_gradients, expected.parameter_gradients) < tolerance::bfloat16);
      CHECK(given.margins_intact);
      CHECK(given == train_pass(three, c.parameters, operands, narrow));
      check_plan(c, operands, in_bfloat16(apply, Margins::ignored));
    }
}

template <class Op>
void check_runs() {
  cpu::Device one({.threads = 1}), three({.threads = 3});
  AttentionCase<float> c(16, 2, 16, Op::bias, Op::in_time);
  const auto operands = c.operands({.batch = 3, .frames = 3, .height = 7, .width = 11});
  const auto pass = train_pass(one, c.parameters, operands, Op::apply(c));
  CHECK(pass == train_pass(one, c.parameters, operands, Op::apply(c)));
  CHECK(pass == train_pass(three, c.parameters, operands, Op::apply(c)));
  CHECK(pass.result == infer_pass(three, c.parameters, operands, Op::apply(c)));

  check_plan(c, operands, Op::apply(c));
}

template <class Op>
void check_large_scores() {
  cpu::Device device({.threads = 1});
  for (const int features : {4, 16}) {
    AttentionCase<float> c(16, 2, features, Op::bias, Op::in_time);
    auto operands = c.operands({.frames = 3, .height = 3, .width = 5});
    for (float& x : operands[0].values) x *= 1e3f;
    const auto pass = train_pass(device, c.parameters, operands, Op::apply(c));
    CHECK(all_finite(pass.result));
    CHECK(all_finite(pass.operand_gradients[0]));
    CHECK(all_finite(pass.parameter_gradients));
  }
}

/// A NaN in one position spreads over the positions of the same group and no further.
template <class Op, class Group>
void check_nan(const Group& group) {
  cpu::Device device({.threads = 1});
  for (const int channels : {3, 16}) {
    AttentionCase<float> c(channels, 2, 16, Op::bias, Op::in_time);
    auto operands = c.operands({.batch = 2, .frames = 3, .height = 3, .width = 7});
    const auto& shape = operands[0].shape;
    constexpr std::size_t poisoned = 31;
    const auto width = static_cast<std::size_t>(channels);
    operands[0].values[poisoned * width + 1] = nan<float>;
    const auto pass = train_pass(device, c.parameters, operands, Op::apply(c));
    for (std::size_t i = 0; i < pass.result.size(); ++i) {
      const bool reached = group(i / width, shape) == group(poisoned, shape);
      CHECK(std::isnan(pass.result[i]) == reached);
      CHECK(std::isnan(pass.operand_gradients[0][i]) == reached);
    }
  }
}

template <class Op>
void check_errors(const std::string& name) {
  cpu::Device device({.threads = 1});
  AttentionCase<float> c(3, 2, 4, Op::bias, Op::in_time);
  auto operands = c.operands({.batch = 2, .width = 3});
  const auto message = [&] { return message_of<ShapeError>([&] { infer_pass(device, c.parameters, operands, Op::apply(c)); }); };
  CHECK(message().empty());
  operands[1] = random_operand<float>({.batch = 2, .width = 2, .channels = 3}, 1);
  CHECK(message() == name + ": residual has shape (2, 1, 1, 2, 3), expected (2, 1, 1, 3, 3)");
  operands[0] = random_operand<float>({.batch = 2, .width = 3, .channels = 4}, 1);
  CHECK(message() == name + ": x has shape (2, 1, 1, 3, 4), expected 3 channels");
  operands = c.operands({});
  c.layer.heads = 3;
  CHECK(message() == name +
                         ": weights qkv and out have 72 and 24 elements, expected 108 and 36 for 3 channels and 3 heads of 4 "
                         "features");
}

}  // namespace lacuna::test
