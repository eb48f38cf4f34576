#include "lacuna/ops/temporal_attention.hpp"

#include "attention_cases.hpp"
#include "attention_checks.hpp"

using namespace lacuna;

namespace {

struct Temporal {
  template <class T>
  static auto apply(const test::AttentionCase<T>& c) {
    return [&c](Graph<T>& graph, const auto& x) { return ops::temporal_attention(graph, c.layer, c.positions, x[0], x[1]); };
  }
  static constexpr bool bias = false, in_time = true;
};

/// q or k (part 0 or 1) after the rotary embedding.
template <class T>
double rotated(const test::AttentionCase<T>& c, const test::Operand<T>& x, std::size_t cell, int frame, int part, int head,
               int feature) {
  const double angle = frame * static_cast<double>(c.parameters.value(c.positions.frequencies)[feature / 2]);
  const double own = test::projected(c, x, cell, part, head, feature),
               other = test::projected(c, x, cell, part, head, feature ^ 1);
  return own * std::cos(angle) + (feature % 2 == 0 ? -other : other) * std::sin(angle);
}

template <class T>
std::vector<double> plain(const test::AttentionCase<T>& c, const std::vector<test::Operand<T>>& operands) {
  const auto& x = operands[0];
  const auto pixels = static_cast<std::size_t>(x.shape.pixels());
  const int frames = x.shape.frames;
  return test::plain_output(c, operands, [&](std::size_t cell, int head, int e) {
    const int query = static_cast<int>(cell / pixels) % frames;
    const auto at = [&](int frame) {
      return cell + (static_cast<std::size_t>(frame) - static_cast<std::size_t>(query)) * pixels;
    };
    std::vector<double> scores;
    for (int key = 0; key < frames; ++key) {
      double score = 0;
      for (int d = 0; d < c.layer.features; ++d)
        score += rotated(c, x, cell, query, 0, head, d) * rotated(c, x, at(key), key, 1, head, d);
      scores.push_back(
          score / std::sqrt(static_cast<double>(c.layer.features)) +
          static_cast<double>(c.parameters.value(c.positions.bias)[ops::position_bucket(query - key) * c.layer.heads + head]));
    }
    scores = test::plain_softmax(scores);
    double o = 0;
    for (int key = 0; key < frames; ++key)
      o += scores[static_cast<std::size_t>(key)] * test::projected(c, x, at(key), 2, head, e);
    return o;
  });
}

}  // namespace

TEST_CASE("Temporal attention: equals the definition, few frames or many, one block of pixels or several") {
  for (const auto& [frames, width] : {std::pair(1, 2), std::pair(5, 33), std::pair(40, 1)}) {
    test::AttentionCase<double> c(3, 2, 4, false, true);
    const auto operands = c.operands({.batch = 2, .frames = frames, .width = width});
    cpu::Device device({.threads = 1});
    CHECK(test::relative_difference(test::infer_pass(device, c.parameters, operands, Temporal::apply(c)), plain(c, operands)) <
          test::tolerance::double_sum);
  }
}

TEST_CASE("Temporal attention: pixels in lanes give what one pixel at a time gives") {
  constexpr int count = 21, frames = 5;
  test::AttentionCase<float> c(16, 2, 4, false, true);
  const Shape shape{.frames = frames, .width = count, .channels = 16};
  const auto operands = c.operands(shape);
  std::vector<float> space(ops::TimeTables<float>::size(c.layer, frames));
  const ops::TimeTables<float> tables(c.layer, c.positions, frames, c.parameters, space.data());
  const auto run = [&]<class Lane>(Lane) {
    using Block = ops::TimeBlock<float, Lane>;
    std::vector<float> workspace(Block::workspace(c.layer, frames)), y(shape.size()), grad_x(shape.size()),
        sums(ops::AttentionSums<float>::size(c.layer)), lanes(Block::bias_sums(c.layer, frames)), result;
    Block block(tables, workspace.data());
    block.forward(operands[0].values.data(), operands[1].values.data(), y.data(), count, count);
    block.backward(operands[0].values.data(), operands[1].values.data(), grad_x.data(), count, count,
                   ops::AttentionSums<float>(sums.data(), c.layer, 0), lanes.data());
    result.insert(result.end(), y.begin(), y.end());
    result.insert(result.end(), grad_x.begin(), grad_x.end());
    result.insert(result.end(), sums.begin(), sums.end());
    for (std::size_t i = 0; i < lanes.size(); i += simd::width<Lane>) {
      float total = 0;
      for (std::size_t j = 0; j < simd::width<Lane>; ++j) total += lanes[i + j];
      result.push_back(total);
    }
    return result;
  };
  CHECK(test::relative_difference(run(simd::Floats{}), run(0.0f)) < test::tolerance::vector_against_plain);
}

TEST_CASE("Temporal attention: gradients are central differences") { test::check_gradients<Temporal>(); }
TEST_CASE("Temporal attention: float agrees with double") { test::check_float<Temporal>(); }
TEST_CASE("Temporal attention: in bfloat16 within rounding of float") { test::check_bfloat16<Temporal>(); }
TEST_CASE("Temporal attention: threads, repeats, inference and a dry run") { test::check_runs<Temporal>(); }
TEST_CASE("Temporal attention: large scores do not overflow") { test::check_large_scores<Temporal>(); }
TEST_CASE("Temporal attention: NaN stays in its pixel") {
  test::check_nan<Temporal>([](std::size_t cell, const Shape& s) {
    const auto pixels = static_cast<std::size_t>(s.pixels());
    return cell / (pixels * static_cast<std::size_t>(s.frames)) * pixels + cell % pixels;
  });
}
TEST_CASE("Temporal attention: wrong shapes are refused by name") {
  test::check_errors<Temporal>("temporal_attention");
  cpu::Device device({.threads = 1});
  test::AttentionCase<float> c(3, 2, 4, false, true);
  c.positions.frequencies.size = 3;
  CHECK(test::message_of<ShapeError>([&] { test::infer_pass(device, c.parameters, c.operands({}), Temporal::apply(c)); }) ==
        "temporal_attention: 2 heads of 4 features with 3 frequencies and 64 biases, expected an even number of features, "
        "half as many frequencies and 32 biases a head");
  test::AttentionCase<float> biased(3, 2, 4, true, true);
  CHECK(test::message_of<ShapeError>([&] {
          test::infer_pass(device, biased.parameters, biased.operands({}), Temporal::apply(biased));
        }) == "temporal_attention: the output projection has a bias of 3 elements, expected none");
}
