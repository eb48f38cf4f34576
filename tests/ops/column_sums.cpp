#include "lacuna/ops/column_sums.hpp"

#include "catch.hpp"
#include "support/compare.hpp"
#include "support/fill.hpp"
#include "support/tolerances.hpp"

using namespace lacuna;

namespace {

template <class T>
std::vector<T> added(int threads, const std::vector<T>& x, int columns, std::vector<T> sums) {
  cpu::Device device({.threads = threads});
  Parameters<T> none;
  Graph<T> graph(device, none, Mode::infer);
  ops::add_column_sums(graph, x.data(), x.size() / static_cast<std::size_t>(columns), columns, sums.data());
  CHECK(device.arena().live() == 0);
  return sums;
}

}  // namespace

TEST_CASE("Column sums: by hand, added to what is there") {
  CHECK(added<float>(1, {1, 2, 3, 4, 5, 6}, 2, {10, 20}) == std::vector<float>{19, 32});
}

TEST_CASE("Column sums: in as many runs as the rows make, whatever the threads; float is double to rounding") {
  CHECK((ops::summing_runs(1) == 1 && ops::summing_runs(700) == 2 && ops::summing_runs(1000000) == 16));
  for (const std::size_t rows : {1u, 257u, 5003u}) {
    const auto x = test::normals<float>(rows * 33, 1), before = test::normals<float>(33, 2);
    const auto one = added(1, x, 33, before);
    CHECK(added(3, x, 33, before) == one);
    const auto exact = added<double>(1, {x.begin(), x.end()}, 33, {before.begin(), before.end()});
    CHECK(test::relative_difference(one, exact) < test::tolerance::float_sum);
  }
}
