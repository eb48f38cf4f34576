#include "lacuna/experiment/measured.hpp"

#include "../data/scratch.hpp"
#include "catch.hpp"

using namespace lacuna;
using namespace lacuna::experiment;
using Catch::Matchers::Contains;

namespace {

/// Two columns of table 2, one row without an outcome, and a column without any.
Measured two_columns() {
  Measured m{.table = {2,
                       "block masks",
                       "x 1e3",
                       {{"small", "advection", "b8"}, {"none", "advection", "b5"}, {"large", "kolmogorov", "b8"}},
                       {}},
             .budget = "smoke"};
  const double none = std::nan("");
  m.table.rows = {{"kriging", {.set = {}, .gaps = {}, .method = "kriging", .use = {}}},
                  {"ours", {.set = {}, .gaps = {}, .method = "ours"}, {{0.5, 0.25}, {7}, {none}}},
                  {"left out", {.set = {}, .gaps = {}, .method = "telea", .use = {}}, {{1}, {2}, {3}}}};
  m.settings.resize(3);
  m.errors.assign(3, std::vector<Statistics>(3));
  m.missing = m.errors;
  m.errors[0][0] = m.missing[0][0] = statistics({0.125});
  m.errors[0][2] = m.missing[0][2] = statistics({4});
  m.errors[1][0] = m.missing[1][0] = statistics({1, 3});
  m.errors[1][2] = m.missing[1][2] = statistics({2});
  m.seconds = 600;
  m.origins = {{"abc1234", "a processor", 1}, {"def5678", "another", 2}};
  m.note = "why";
  return m;
}

}  // namespace

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
}

TEST_CASE("a table that was made in two places is one") {
  const auto whole = table_json(two_columns());
  const auto with_column = [](std::size_t column, bool all_rows) {
    Measured m = two_columns();
    for (auto& row : m.errors) row[2 - column] = {};
    m.origins = {m.origins[column / 2]};
    m.seconds = 300;
    if (!all_rows) m.table.rows.erase(m.table.rows.begin()), m.errors.erase(m.errors.begin()), m.missing.erase(m.missing.begin());
    return table_json(m);
  };
  const auto joined_two = joined({with_column(0, true), with_column(2, true)});
  REQUIRE(joined_two.size() == 1);
  CHECK(joined_two[0] == whole);
  // A row that only the second has keeps its place.
  const auto longer = joined({with_column(0, false), with_column(2, true)});
  CHECK(longer[0].at("rows").at(0).at("label") == "kriging");
  CHECK(longer[0].at("rows").at(0).at("cells").at(0).is_null());
  CHECK(longer[0].at("rows").at(1) == whole.at("rows").at(1));
  // More seeds tell more.
  Measured more = two_columns();
  more.errors[0][0] = more.missing[0][0] = statistics({0.125, 0.25, 0.5});
  for (const auto& parts : {std::vector{whole, table_json(more)}, std::vector{table_json(more), whole}})
    CHECK(joined(parts)[0].at("rows") == table_json(more).at("rows"));
  // Others are tables of their own, and stay in their order.
  auto other = whole;
  other["table"] = 9;
  const auto both = joined({other, with_column(0, true), with_column(2, true)});
  REQUIRE(both.size() == 2);
  CHECK(both[0] == other);
  CHECK(both[1] == whole);
}

TEST_CASE("files of a table that do not belong together are an error") {
  const auto table = table_json(two_columns());
  CHECK(joined({table, table}) == std::vector{table});
  const auto differs = [&](const nlohmann::json::json_pointer& at, const nlohmann::json& value, const std::string& what) {
    auto other = table;
    other[at] = value;
    CHECK_THROWS_WITH(joined({table, other}), Contains("table 2 of several files: ") && Contains(what));
  };
  using Pointer = nlohmann::json::json_pointer;
  differs(Pointer("/budget"), "full", "budgets smoke and full");
  differs(Pointer("/columns/0/label"), "tiny", "columns or their settings differ");
  differs(Pointer("/columns/0/settings"), 1, "columns or their settings differ");
  differs(Pointer("/rows/1/cells/2/mean"), 3, "ours, large has two outcomes");
  CHECK_THROWS_WITH(joined({nlohmann::json{{"table", 2}}, table}), Contains("no table of lacuna-reproduce"));
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
