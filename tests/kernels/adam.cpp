#include "adam.cuh"

#include <cmath>
#include <limits>

#include "catch.hpp"
#include "cuda_emulation/buffer.hpp"
#include "kernels/orders.hpp"
#include "lacuna/train/optimizer.hpp"
#include "support/compare.hpp"
#include "support/fill.hpp"
#include "support/tolerances.hpp"

using namespace lacuna;
using cuda_emulation::Buffer;

namespace {

struct State {
  std::vector<float> value, first, second, average;
  float norm = 0;
  bool operator==(const State&) const = default;
};

std::vector<float> gradient_of(std::size_t size, int step) {
  auto g = test::normals<float>(size, static_cast<std::uint64_t>(100 + step));
  for (float& x : g) x *= 0.02f * static_cast<float>(step);
  return g;
}

constexpr double learning_rate = 0.01;

State on_gpu(std::size_t size, int steps, std::size_t offset, float bad = 0.0f) {
  const train::OptimizerSettings settings;
  const auto start = test::normals<float>(size, 1);
  const std::vector<float> zeros(size, 0.0f);
  Buffer<float> value(start, offset), first(zeros, offset), second(zeros, offset), average(start, offset), norm(1),
      sums(kernels::blocks_for(size));
  for (int step = 1; step <= steps; ++step) {
    auto g = gradient_of(size, step);
    if (step == steps) g[size / 2] += bad;
    Buffer<float> gradient(g, offset);
    Buffer<train::AdamStep<float>> coefficients(std::vector{train::adam_step<float>(settings, step, learning_rate)});
    kernels::adam({}, {value, gradient, first, second, average}, size, coefficients, static_cast<float>(settings.clip), sums,
                  norm);
    CHECK(gradient.intact());
  }
  CHECK((value.intact() && first.intact() && second.intact() && average.intact() && norm.intact() && sums.intact()));
  return {value.content(), first.content(), second.content(), average.content(), norm[0]};
}

State on_cpu(std::size_t size, int steps) {
  Parameters<float> p;
  p.add("w", {static_cast<int>(size)});
  p.values() = test::normals<float>(size, 1);
  train::Optimizer<float> optimizer(p, {});
  double norm = 0;
  for (int step = 1; step <= steps; ++step) {
    p.gradients() = gradient_of(size, step);
    norm = optimizer.step(p, learning_rate, 1);
  }
  const auto& s = optimizer.state();
  return {p.values(), s.first_moment, s.second_moment, s.average, static_cast<float>(norm)};
}

}  // namespace

TEST_CASE("Adam kernel: agrees with the CPU, clipped or not, aligned or not, in every order") {
  for (const std::size_t size : {1u, 5u, 31u, 257u, 1027u, 5003u})
    for (const std::size_t offset : {0u, 3u}) {
      const State expected = on_cpu(size, 3);
      CHECK((size < 1000 || expected.norm > 1));  // the larger ones are clipped
      test::in_every_order([&] {
        INFO(size << " elements, offset " << offset);
        const State given = on_gpu(size, 3, offset);
        CHECK(given.norm == Approx(expected.norm).epsilon(test::tolerance::kernel));
        CHECK(test::relative_difference(given.value, expected.value) < test::tolerance::kernel);
        CHECK(test::relative_difference(given.first, expected.first) < test::tolerance::kernel);
        CHECK(test::relative_difference(given.second, expected.second) < test::tolerance::kernel);
        CHECK(test::relative_difference(given.average, expected.average) < test::tolerance::kernel);
      });
    }
}

TEST_CASE("Adam kernel: the order of threads changes no bit") {
  const State first = on_gpu(3001, 2, 0);
  test::in_every_order([&] { CHECK(on_gpu(3001, 2, 0) == first); });
}

TEST_CASE("Adam kernel: a norm that is not finite shows and changes nothing") {
  const State before = on_gpu(1500, 1, 0);
  for (const float bad : {test::nan<float>, std::numeric_limits<float>::infinity()}) {
    const State after = on_gpu(1500, 2, 0, bad);
    CHECK_FALSE(std::isfinite(after.norm));
    CHECK(after.value == before.value);
    CHECK(after.first == before.first);
    CHECK(after.second == before.second);
    CHECK(after.average == before.average);
  }
}
