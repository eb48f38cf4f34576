#include "lacuna/ops/spatial_attention.hpp"

#include "attention_cases.hpp"
#include "attention_checks.hpp"

using namespace lacuna;

namespace {

struct Spatial {
  template <class T>
  static auto apply(const test::AttentionCase<T>& c) {
    return [&c](Graph<T>& graph, const auto& x) { return ops::spatial_attention(graph, c.layer, x[0], x[1]); };
  }
  static constexpr bool bias = true, in_time = false;
};

template <class T>
std::vector<double> plain(const test::AttentionCase<T>& c, const std::vector<test::Operand<T>>& operands) {
  const auto& x = operands[0];
  const auto pixels = static_cast<std::size_t>(x.shape.pixels());
  return test::plain_output(c, operands, [&](std::size_t cell, int head, int e) {
    const std::size_t frame = cell / pixels * pixels;
    std::vector<double> scores(pixels, 0.0);
    for (int d = 0; d < c.layer.features; ++d)
      for (std::size_t n = 0; n < pixels; ++n)
        scores[n] += test::projected(c, x, cell, 0, head, d) * test::projected(c, x, frame + n, 1, head, d) /
                     std::sqrt(static_cast<double>(c.layer.features));
    scores = test::plain_softmax(scores);
    double o = 0;
    for (std::size_t n = 0; n < pixels; ++n) o += scores[n] * test::projected(c, x, frame + n, 2, head, e);
    return o;
  });
}

}  // namespace

TEST_CASE("Spatial attention: equals the definition, with and without a bias, one tile of queries or several") {
  for (const bool bias : {false, true})
    for (const int width : {3, 33}) {
      test::AttentionCase<double> c(3, 2, 2, bias);
      const auto operands = c.operands({.batch = 2, .frames = 2, .height = 2, .width = width});
      cpu::Device device({.threads = 1});
      CHECK(test::relative_difference(test::infer_pass(device, c.parameters, operands, Spatial::apply(c)), plain(c, operands)) <
            test::tolerance::double_sum);
    }
}

TEST_CASE("Spatial attention: gradients are central differences") { test::check_gradients<Spatial>(); }
TEST_CASE("Spatial attention: float agrees with double") { test::check_float<Spatial>(); }
TEST_CASE("Spatial attention: in bfloat16 within rounding of float") { test::check_bfloat16<Spatial>(); }
TEST_CASE("Spatial attention: threads, repeats, inference and a dry run") { test::check_runs<Spatial>(); }
TEST_CASE("Spatial attention: large scores do not overflow") { test::check_large_scores<Spatial>(); }
TEST_CASE("Spatial attention: NaN stays in its frame") {
  test::check_nan<Spatial>([](std::size_t cell, const Shape& s) { return cell / static_cast<std::size_t>(s.pixels()); });
}
TEST_CASE("Spatial attention: wrong shapes are refused by name") { test::check_errors<Spatial>("spatial_attention"); }
