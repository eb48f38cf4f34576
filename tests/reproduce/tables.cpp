#include "reproduce/tables.hpp"

#include <set>
#include <string>
#include <vector>

#include "catch.hpp"

using namespace lacuna;
using namespace lacuna::experiment;

TEST_CASE("tables are rectangular, and every cell is a job that can be done") {
  std::set<int> numbers;
  for (const Table& table : tables()) {
    INFO(table.number);
    CHECK(numbers.insert(table.number).second);
    std::set<std::string> labels, keys;
    for (std::size_t r = 0; r < table.rows.size(); ++r) {
      const Row& row = table.rows[r];
      CHECK(labels.insert(row.label).second);
      CHECK((row.paper.empty() || row.paper.size() == table.columns.size()));
      for (std::size_t c = 0; c < table.columns.size(); ++c) {
        const Job job = table.job(r, c);
        CHECK_NOTHROW(Gaps(job.gaps));
        CHECK_NOTHROW(Gaps(job.filled_gaps()));
        CHECK((job.network == "unet" || job.network == "fno"));
        if (!job.classical()) CHECK_NOTHROW(policy_of(job));
        CHECK(keys.insert(job.key()).second);
      }
    }
  }
  CHECK(numbers == std::set<int>{1, 2, 4, 5, 6, 7, 8, 9});
}

TEST_CASE("what the paper prints is where it belongs") {
  const Table blocks = table_2();
  const auto row = [&](const std::string& label) {
    for (const Row& r : blocks.rows)
      if (r.label == label) return r;
    throw Error(label);
  };
  CHECK(row("ours, block contexts").paper[4].mean == 0.7592);
  CHECK(row("MissDiff").paper[4].mean == 1.4357);
  CHECK(row("kriging").paper.empty());
  const Table pixels = table_1();
  REQUIRE(pixels.columns.size() == 6);
  CHECK(pixels.columns[5].set == "era5");
  CHECK(pixels.columns[5].gaps == "p1");
  CHECK(pixels.rows[0].paper[5].mean == 9.735);
}

TEST_CASE("what the paper prints alike in tables 4, 5 and 9 is of one network") {
  struct Cell {
    Printed paper;
    std::string trained;
  };
  std::vector<Cell> cells;
  for (const Table& table : {table_4(), table_5(), table_9()})
    for (std::size_t r = 0; r < table.rows.size(); ++r)
      for (std::size_t c = 0; c < table.rows[r].paper.size(); ++c)
        if (!table.job(r, c).classical()) cells.push_back({table.rows[r].paper[c], table.job(r, c).training()});
  std::size_t alike = 0;
  for (const Cell& a : cells)
    for (const Cell& b : cells) {
      if (&a >= &b || a.paper.mean != b.paper.mean || a.paper.deviation != b.paper.deviation) continue;
      INFO(a.paper.mean);
      CHECK(a.trained == b.trained);
      ++alike;
    }
  CHECK(alike == 14);
}
