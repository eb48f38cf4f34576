// Matrix products on a GPU that are taken apart. Runs on the emulation, and where there is one on a GPU.
#include "lacuna/cuda/products.hpp"

#include <array>

#include "catch.hpp"
#include "cuda/devices.hpp"
#include "kernels/scalars.hpp"
#include "support/compare.hpp"
#include "support/fill.hpp"

using namespace lacuna;

TEMPLATE_TEST_CASE("a weight's gradient on a GPU is the float sum over all positions, however many runs they make", "", float,
                   Bfloat16) {
  using S = TestType;
  if (!test::gpu()) return;
  cuda::Device device({.threads = 1, .arena_bytes = std::size_t{32} << 20});
  Parameters<float> none;
  cuda::Parameters<float> parameters(device, none);
  for (const std::size_t depth : {1u, 255u, 511u, 512u, 1026u, 5003u})
    for (const auto& [rows, columns, row] :
         {std::array{3, 5, 0}, std::array{64, 8, 0}, std::array{4, 6, 9}, std::array{130, 70, 70}}) {
      CAPTURE(depth, rows, columns, row);
      const auto r = static_cast<std::size_t>(rows), c = static_cast<std::size_t>(columns),
                 apart = static_cast<std::size_t>(row > 0 ? row : columns);
      const auto a = test::normals_of<S>(depth * r, 1), b = test::normals_of<S>(depth * c, 2),
                 before = test::normals<float>(r * apart, 3);
      std::vector<double> sums(before.begin(), before.end());
      for (std::size_t k = 0; k < depth; ++k)
        for (std::size_t i = 0; i < r; ++i)
          for (std::size_t j = 0; j < c; ++j)
            sums[i * apart + j] += static_cast<double>(a[k * r + i]) * static_cast<double>(b[k * c + j]);
      const test::OnDevice<S> on_a(device, test::as<S>(a)), on_b(device, test::as<S>(b));
      const test::OnDevice<float> sum(device, before);
      device.reset();
      for (const bool dry : {true, false}) {
        Graph<float, cuda::Device> graph(device, parameters, Mode::train, dry);
        cuda::add_transposed_product(graph, on_a.data(), rows, on_b.data(), columns, depth, sum.data(), row);
      }
      const std::vector<float> expected(sums.begin(), sums.end());
      CHECK(test::relative_difference(test::fetched(device, sum.data(), sums.size()), expected) < 1e-5);
    }
}
