#include "column_sums.cuh"

#include "catch.hpp"
#include "cuda_emulation/buffer.hpp"
#include "kernels/orders.hpp"
#include "kernels/scalars.hpp"
#include "lacuna/ops/column_sums.hpp"
#include "support/compare.hpp"

using namespace lacuna;
using cuda_emulation::Buffer;

namespace {

template <class S>
struct Case {
  std::size_t rows;
  int channels;
  std::vector<float> x, before;

  Case(std::size_t rows_, int channels_)
      : rows(rows_),
        channels(channels_),
        x(test::normals_of<S>(rows_ * static_cast<std::size_t>(channels_), 1)),
        before(test::normals<float>(static_cast<std::size_t>(channels_), 2)) {}

  std::vector<float> on_gpu(std::size_t offset) const {
    Buffer<S> from(test::as<S>(x), offset);
    Buffer<float> workspace(kernels::column_sums_workspace<S>(rows, channels)), sums(before, offset);
    kernels::column_sums<S>({}, from, rows, channels, workspace, sums);
    CHECK((workspace.intact() && sums.intact()));
    return sums.content();
  }
  std::vector<float> on_cpu() const {
    cpu::Device device({.threads = 1});
    Parameters<float> none;
    Graph<float> graph(device, none, Mode::train);
    auto sums = before;
    const auto width = static_cast<std::size_t>(channels);
    ops::sum_over_rows(graph, rows, sums.data(), width,
                       [&](Range range, float* own) { ops::add_rows(x.data(), range, width, own); });
    return sums;
  }
};

}  // namespace

TEMPLATE_TEST_CASE("Column sums kernels: agree with the CPU for any number of columns, aligned or not, in every order", "", float,
                   Bfloat16) {
  for (const std::size_t rows : {1u, 33u, 700u})
    for (const int channels : {1, 3, 4, 8, 20, 32, 100, 129, 264, 300}) {
      const Case<TestType> c(rows, channels);
      const auto expected = c.on_cpu(), first = c.on_gpu(0);
      CHECK(test::relative_difference(first, expected) < test::tolerance::kernel);
      CHECK(c.on_gpu(1) == first);
      if (rows == 700 && channels % 8 == 1) test::in_every_order([&] { CHECK(c.on_gpu(0) == first); });
    }
}

TEMPLATE_TEST_CASE("Column sums kernels: more rows than all runs take in one turn, and NaN stays in its column", "", float,
                   Bfloat16) {
  if (cuda_emulation::sanitizers::thread) return;  // every block has its own shared memory there: too much of it
  Case<TestType> c(66001, 66);
  CHECK(kernels::ColumnSumsPlan::of<TestType>(c.rows, c.channels).runs == 512);
  const auto expected = c.on_cpu(), clean = c.on_gpu(0);
  CHECK(test::relative_difference(clean, expected) < test::tolerance::kernel);
  c.x[std::size_t{65999} * 66 + 7] = test::nan<float>;
  const auto given = c.on_gpu(0);
  for (std::size_t i = 0; i < given.size(); ++i) CHECK((i == 7 ? std::isnan(given[i]) : given[i] == clean[i]));
}
