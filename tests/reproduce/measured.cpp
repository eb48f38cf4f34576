#include "reproduce/measured.hpp"

#include "../data/scratch.hpp"
#include "catch.hpp"
#include "reproduce/measured_table.hpp"

using namespace lacuna;
using namespace lacuna::experiment;
using Catch::Matchers::Contains;

TEST_CASE("a table's page has ours and the paper's, the best of ours in bold, and what made it") {
  const std::string page = markdown(Sheet(table_json(two_columns()), true));
  CHECK(
      page ==
      "### Table 2, block masks\n\nx 1e3.\n\n"
      "| method | small | large |\n| --- | --- | --- |\n"
      "| kriging | **0.125** | 4 |\n"
      "| ours | 2 +- 1.4 (0.5 +- 0.25) | **2** |\n\n"
      "Budget smoke; 1 to 2 seeds; commit abc1234, a processor, 1 thread; commit def5678, another, 2 threads; 10 min in all.\n");
}

TEST_CASE("what fills other gaps is not compared") {
  Measured m = two_columns();
  m.table.rows[1].job.test_gaps = "b5";
  CHECK_THAT(markdown(Sheet(table_json(m), true)),
             Contains("| kriging | **0.125** | **4** |\n") && Contains("| ours | **2 +- 1.4** (0.5 +- 0.25) | **2** |\n"));
}

TEST_CASE("a table that was kept is shown the same") {
  const Scratch folder;
  const auto json = table_json(two_columns());
  {
    std::ofstream out(folder / "table2.json");
    out << json.dump(1);
  }
  const auto kept = read_table(folder / "table2.json");
  CHECK(kept == json);
  CHECK(markdown(Sheet(kept)) == markdown(Sheet(json)));
  CHECK(Sheet(kept).note == "why");
  CHECK(kept.at("rows").at(1).at("paper").at(2).at("mean").is_null());
  CHECK(kept.at("rows").at(1).at("cells").at(0).at("by_seed") == std::vector<double>{1, 3});
}

TEST_CASE("what is no table is said to be none") {
  const Scratch folder;
  CHECK_THROWS_WITH(read_table(folder / "absent.json"), Contains("absent.json: cannot be read"));
  {
    std::ofstream out(folder / "other.json");
    out << "{\"other\": 1}";
  }
  CHECK_THROWS_WITH(read_table(folder / "other.json"), Contains("other.json: is no table of lacuna-reproduce"));
  CHECK_THROWS_WITH(Sheet(nlohmann::json{{"table", 1}}), Contains("no table of lacuna-reproduce"));
}
