#include "lacuna/ops/row_tasks.hpp"

#include <vector>

#include "catch.hpp"
#include "support/bfloat16.hpp"

using namespace lacuna;

TEST_CASE("Row tasks: every row comes once, in tasks of at most 256, on any number of threads") {
  for (const int threads : {1, 3})
    for (const std::size_t rows : {1u, 256u, 257u, 1000u}) {
      cpu::Device device({.threads = threads});
      Parameters<float> none;
      Graph<float> graph(device, none, Mode::infer);
      std::vector<int> seen(rows, 0), seen_wide(rows, 0);
      ops::for_rows(graph, rows, [&](Range r) {
        for (std::size_t i = r.begin; i < r.end; ++i) seen[i] += r.end - r.begin <= ops::rows_of_a_task ? 1 : 2;
      });
      CHECK(seen == std::vector<int>(rows, 1));
      std::vector<Bfloat16> values(rows * 2, Bfloat16(1.0f));
      ops::for_wide_rows<Bfloat16>(graph, rows, 2, [&](Range r, ops::WideCopies<float, Bfloat16> copies) {
        const std::size_t count = r.end - r.begin;
        float* wide = copies.read(values.data() + 2 * r.begin, 2 * count);
        for (std::size_t i = 0; i < 2 * count; ++i) wide[i] += 1;
        copies.write(wide, values.data() + 2 * r.begin, 2 * count);
        for (std::size_t i = r.begin; i < r.end; ++i) ++seen_wide[i];
      });
      CHECK(seen_wide == std::vector<int>(rows, 1));
      CHECK(std::all_of(values.begin(), values.end(), [](Bfloat16 v) { return static_cast<float>(v) == 2; }));
      CHECK(device.arena().live() == 0);
    }
}

TEST_CASE("Row tasks: a dry graph takes and gives the copies and runs nothing") {
  cpu::Device device({.threads = 3});
  Parameters<float> none;
  Graph<float> graph(device, none, Mode::infer, true);
  bool run = false;
  ops::for_rows(graph, 10, [&](Range) { run = true; });
  ops::for_wide_rows<Bfloat16>(graph, 10, 2, [&](Range, ops::WideCopies<float, Bfloat16>) { run = true; });
  CHECK_FALSE(run);
  CHECK(device.arena().live() == 0);
  cpu::Device other({.threads = 3});  // a sanitized arena adds its redzones
  Graph<float> one_take(other, none, Mode::infer, true);
  const std::size_t copies = std::size_t{3} * 2 * ops::rows_of_a_task;
  one_take.give(one_take.take(copies), copies);
  CHECK(device.arena().high_water() == other.arena().high_water());
}
