#include "time_embedding.cuh"

#include "catch.hpp"
#include "cuda_emulation/buffer.hpp"
#include "kernels/orders.hpp"
#include "lacuna/ops/time_embedding.hpp"
#include "support/probe.hpp"
#include "support/tolerances.hpp"

using namespace lacuna;
using cuda_emulation::Buffer;

TEST_CASE("Time embedding kernel: agrees with the CPU for times in [0, 1], aligned or not, in every order") {
  for (const int batch : {1, 5, 67})
    for (const int width : {4, 34, 64})
      for (const std::size_t offset : {0u, 1u}) {
        const auto b = static_cast<std::size_t>(batch), n = b * static_cast<std::size_t>(width);
        std::vector<float> times(b, 1.0f);  // the last of them
        for (std::size_t i = 0; i + 1 < b; ++i) times[i] = static_cast<float>(i) / static_cast<float>(b);
        cpu::Device device({.threads = 1});
        Parameters<float> none;
        Graph<float> graph(device, none, Mode::infer);
        const auto y = ops::time_embedding(graph, times.data(), batch, width);
        const std::vector<float> expected(y.data, y.data + n);
        test::in_every_order([&] {
          INFO(batch << " times, width " << width << ", offset " << offset);
          Buffer<float> from(times, offset), to(n, offset);
          kernels::time_embedding({}, from, batch, width, to);
          CHECK(test::relative_difference(to.content(), expected) < test::tolerance::kernel);
          CHECK(to.intact());
        });
      }
}

TEST_CASE("Time embedding kernel: NaN shows in its sample, and an odd or too small width is refused") {
  Buffer<float> times(std::vector<float>{0.5f, test::nan<float>, 0.25f}), y(3 * 6);
  kernels::time_embedding({}, times, 3, 6, y);
  for (std::size_t i = 0; i < 18; ++i) CHECK(std::isnan(y[i]) == (i / 6 == 1));
  CHECK(test::message_of<ShapeError>([&] { kernels::time_embedding({}, times, 3, 7, y); }) ==
        "time_embedding: width 7, expected an even number from 4");
  CHECK_THROWS_AS(kernels::time_embedding({}, times, 3, 2, y), ShapeError);
}
