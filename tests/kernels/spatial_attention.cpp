#include "spatial_attention.cuh"

#include "kernels/position_attention.hpp"
#include "lacuna/ops/spatial_attention.hpp"

using namespace lacuna;
using cuda_emulation::Buffer;
using test::PositionCase;

namespace {

test::PositionOutcome<float> on_cpu(const PositionCase& c) {
  return test::position_attention_on_cpu(c, [](auto& graph, const auto& layer, const auto& x, const auto& residual) {
    return ops::spatial_attention(graph, layer, x, residual);
  });
}

template <class S>
test::PositionOutcome<S> on_gpu(const PositionCase& c, std::size_t offset) {
  return test::position_attention_on_gpu<S>(c, offset, [&](const auto& forward, const auto& backward) {
    const Buffer<float> statistics(kernels::SpatialStatistics::size(backward), offset);
    kernels::spatial_attention_forward<S>({}, forward);
    kernels::spatial_attention_backward<S>({}, backward, statistics);
    CHECK(statistics.intact());
  });
}

}  // namespace

TEMPLATE_TEST_CASE(
    "Spatial attention kernels: agree with the CPU for heads, features and positions of many sizes, aligned or not", "", float,
    Bfloat16) {
  using S = TestType;
  for (const auto& [images, positions, heads, features] :
       {std::array{1, 1, 1, 1}, std::array{2, 7, 2, 4}, std::array{1, 33, 3, 6}, std::array{2, 65, 2, 32},
        std::array{3, 64, 1, 8}, std::array{1, 100, 2, 17}, std::array{1, 129, 1, 16}, std::array{1, 40, 1, 64},
        std::array{1, 23, 1, 128}}) {
    test::check_alignments<S>(PositionCase::of<S>(images, positions, heads, features), on_cpu, on_gpu<S>);
  }
}

TEMPLATE_TEST_CASE("Spatial attention kernels: several tiles of queries and keys, in every order, whose choice changes no bit",
                   "", float, Bfloat16) {
  test::check_orders<TestType>(PositionCase::of<TestType>(2, 155, 2, 8), on_cpu, on_gpu<TestType>);
}

TEST_CASE("Spatial attention kernels: scores that grow from key to key, or lie far below zero, overflow nothing") {
  auto c = PositionCase::of<float>(1, 150, 2, 4);
  for (std::size_t i = 0; i < 150; ++i)
    for (std::size_t j = 0; j < 8; ++j) {
      c.qkv[i * 24 + j] += j < 4 ? 2.0f : -2.0f;
      c.qkv[i * 24 + 8 + j] += j < 4 ? 0.25f * static_cast<float>(i) : 50.0f;
    }
  test::check_near(on_gpu<float>(c, 0), on_cpu(c));
}

TEST_CASE("Spatial attention kernels: NaN stays within its image and head") {
  const auto c = PositionCase::of<float>(2, 9, 2, 4);
  for (const std::size_t part : {0u, 1u, 2u})
    test::check_nan_stays(c, (9 + 3) * 24 + part * 8 + 5, [](const PositionCase& x) { return on_gpu<float>(x, 0); });
}

TEST_CASE("Spatial attention kernels: a head too wide for shared memory is named") {
  CHECK(test::message_of<ShapeError>([] {
          kernels::spatial_attention_backward<float>({}, {.images = 1, .positions = 1, .heads = 1, .features = 600}, nullptr);
        }).find("600 features") != std::string::npos);
}
