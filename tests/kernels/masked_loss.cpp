#include "masked_loss.cuh"

#include "catch.hpp"
#include "cuda_emulation/buffer.hpp"
#include "kernels/orders.hpp"
#include "lacuna/ops/masked_loss.hpp"
#include "support/compare.hpp"
#include "support/fill.hpp"
#include "support/tolerances.hpp"

using namespace lacuna;
using cuda_emulation::Buffer;

namespace {

struct Case {
  std::vector<float> estimate, target;
  std::vector<std::uint8_t> query;

  explicit Case(std::size_t size, float probability = 0.4f)
      : estimate(test::normals<float>(size, 1)),
        target(test::normals<float>(size, 2)),
        query(test::coins(size, probability, 3)) {}
  std::size_t size() const { return query.size(); }
};

struct Outcome {
  float loss = 0, count = 0;
  std::vector<float> gradient;
  bool operator==(const Outcome&) const = default;
};

Outcome on_gpu(const Case& c, std::size_t offset) {
  const std::size_t n = c.size(), blocks = kernels::blocks_for(n);
  Buffer<float> estimate(c.estimate, offset), target(c.target, offset), gradient(n, offset), sums(blocks), result(2);
  Buffer<std::uint8_t> query(c.query, offset);
  Buffer<unsigned> counts(blocks);
  kernels::count_queried({}, query, n, counts);
  kernels::masked_loss({}, estimate, target, query, n, {sums, counts, static_cast<unsigned>(blocks)}, gradient, result);
  CHECK((gradient.intact() && sums.intact() && counts.intact() && result.intact()));
  return {result[0], result[1], gradient.content()};
}

Outcome on_cpu(const Case& c) {
  cpu::Device device({.threads = 1});
  Parameters<float> parameters;
  Graph<float> graph(device, parameters, Mode::train);
  const auto x = graph.make({.height = static_cast<int>(c.size())});
  std::copy(c.estimate.begin(), c.estimate.end(), x.data);
  const auto loss = static_cast<float>(ops::masked_loss(graph, x, c.target.data(), c.query.data()));
  return {
      loss, static_cast<float>(ops::count_queried(c.query.data(), c.size())), {x.node->gradient, x.node->gradient + c.size()}};
}

}  // namespace

TEST_CASE("Masked loss kernel: agrees with the CPU at odd sizes, aligned or not, in every order") {
  for (const std::size_t size : {1u, 3u, 4u, 31u, 33u, 257u, 1023u, 1025u, 9001u})
    for (const std::size_t offset : {0u, 1u}) {
      const Case c(size);
      const auto expected = on_cpu(c);
      test::in_every_order([&] {
        INFO(size << " elements, offset " << offset);
        const auto given = on_gpu(c, offset);
        CHECK(given.count == expected.count);
        CHECK(given.loss == Approx(expected.loss).epsilon(test::tolerance::kernel));
        CHECK(test::relative_difference(given.gradient, expected.gradient) < test::tolerance::kernel);
      });
    }
}

TEST_CASE("Masked loss kernel: more blocks than a block has threads, and more chunks than blocks take in one turn") {
  if (cuda_emulation::sanitizers::thread) return;  // every block has its own shared memory there: too much of it
  for (const std::size_t size : {270001u, 1100001u}) {
    const Case c(size);
    const auto expected = on_cpu(c), given = on_gpu(c, 0);
    CHECK(given.count == expected.count);
    CHECK(given.loss == Approx(expected.loss).epsilon(test::tolerance::kernel));
    CHECK(test::relative_difference(given.gradient, expected.gradient) < test::tolerance::kernel);
  }
}

TEST_CASE("Masked loss kernel: the order of threads and alignment change no bit") {
  const Case c(5003);
  const auto first = on_gpu(c, 0);
  test::in_every_order([&] { CHECK(on_gpu(c, 0) == first); });
}

TEST_CASE("Masked loss kernel: NaN where nothing is queried changes no bit") {
  for (const std::size_t offset : {0u, 1u}) {
    Case c(1030);
    const auto clean = on_gpu(c, offset);
    for (std::size_t i = 0; i < c.size(); ++i)
      if (c.query[i] == 0) (i % 3 == 0 ? c.estimate : c.target)[i] = i % 2 == 0 ? test::nan<float> : INFINITY;
    CHECK(on_gpu(c, offset) == clean);
    CHECK(test::all_finite(clean.gradient));
  }
}

TEST_CASE("Masked loss kernel: NaN that is queried shows") {
  Case c(100, 1.0f);
  c.estimate[70] = test::nan<float>;
  const auto given = on_gpu(c, 0);
  CHECK(std::isnan(given.loss));
  CHECK(std::isnan(given.gradient[70]));
}

TEST_CASE("Masked loss kernel: an empty query is no loss and no gradient") {
  Case c(50, 0.0f);
  c.estimate.assign(50, test::nan<float>);
  CHECK(on_gpu(c, 0) == Outcome{0, 0, std::vector<float>(50, 0.0f)});
}

TEST_CASE("Masked loss kernel: any byte but zero queries") {
  Case c(5, 0.0f);
  c.query = {0, 1, 255, 0, 2};
  CHECK(on_gpu(c, 0).count == 3);
}
