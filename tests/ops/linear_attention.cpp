#include "lacuna/ops/linear_attention.hpp"

#include "attention_cases.hpp"
#include "attention_checks.hpp"

using namespace lacuna;

namespace {

struct Linear {
  template <class T>
  static auto apply(const test::AttentionCase<T>& c) {
    return [&c](Graph<T>& graph, const auto& x) { return ops::linear_attention(graph, c.layer, x[0], x[1]); };
  }
  static constexpr bool bias = true, in_time = false;
};

/// q softmaxed over features, k over the positions of the frame, sums in the order that is quadratic in positions.
template <class T>
std::vector<double> plain(const test::AttentionCase<T>& c, const std::vector<test::Operand<T>>& operands) {
  const auto& x = operands[0];
  const auto pixels = static_cast<std::size_t>(x.shape.pixels());
  const int features = c.layer.features;
  return test::plain_output(c, operands, [&](std::size_t cell, int head, int e) {
    const std::size_t frame = cell / pixels * pixels;
    std::vector<double> q;
    for (int d = 0; d < features; ++d) q.push_back(test::projected(c, x, cell, 0, head, d));
    q = test::plain_softmax(q);
    double o = 0;
    for (int d = 0; d < features; ++d) {
      std::vector<double> k;
      for (std::size_t n = 0; n < pixels; ++n) k.push_back(test::projected(c, x, frame + n, 1, head, d));
      k = test::plain_softmax(k);
      for (std::size_t n = 0; n < pixels; ++n)
        o += q[static_cast<std::size_t>(d)] * k[n] * test::projected(c, x, frame + n, 2, head, e);
    }
    return o / std::sqrt(static_cast<double>(features));
  });
}

}  // namespace

TEST_CASE("Linear attention: equals the definition, one tile of positions or several") {
  for (const int width : {3, 33}) {  // 66 positions are two tiles
    test::AttentionCase<double> c(3, 2, 2, true);
    const auto operands = c.operands({.batch = 2, .frames = 2, .height = 2, .width = width});
    cpu::Device device({.threads = 1});
    CHECK(test::relative_difference(test::infer_pass(device, c.parameters, operands, Linear::apply(c)), plain(c, operands)) <
          test::tolerance::double_sum);
  }
}

TEST_CASE("Linear attention: gradients are central differences") { test::check_gradients<Linear>(); }
TEST_CASE("Linear attention: float agrees with double") { test::check_float<Linear>(); }
TEST_CASE("Linear attention: in bfloat16 within rounding of float") { test::check_bfloat16<Linear>(); }
TEST_CASE("Linear attention: threads, repeats, inference and a dry run") { test::check_runs<Linear>(); }
TEST_CASE("Linear attention: large scores do not overflow") { test::check_large_scores<Linear>(); }
TEST_CASE("Linear attention: NaN stays in its frame") {
  test::check_nan<Linear>([](std::size_t cell, const Shape& s) { return cell / static_cast<std::size_t>(s.pixels()); });
}
TEST_CASE("Linear attention: wrong shapes are refused by name") { test::check_errors<Linear>("linear_attention"); }
