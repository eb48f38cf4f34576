#include "reproduce/joined.hpp"

#include <string>
#include <vector>

#include "catch.hpp"
#include "reproduce/measured_table.hpp"

using namespace lacuna;
using namespace lacuna::experiment;
using Catch::Matchers::Contains;

namespace {

/// A table of the paper's as it is kept, without any outcome.
nlohmann::json empty(const Table& table) {
  Measured m{.table = table, .budget = "small", .settings = std::vector<nlohmann::json>(table.columns.size(), {{"steps", 2000}})};
  m.errors.assign(table.rows.size(), std::vector<Statistics>(table.columns.size()));
  m.missing = m.errors;
  m.origins = {{"abc1234", "a processor", 1}};
  return table_json(m);
}

nlohmann::json& row(nlohmann::json& table, const std::string& label) {
  for (auto& r : table.at("rows"))
    if (r.at("label") == label) return r;
  throw Error(label);
}

}  // namespace

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
  // Settings count where there are outcomes.
  auto left = with_column(0, true), right = with_column(2, true);
  left.at("columns").at(0)["settings"] = 1, left.at("columns").at(2)["settings"] = 2;
  right.at("columns").at(0)["settings"] = 3, right.at("columns").at(2)["settings"] = 4;
  for (const auto& parts : {std::vector{left, right}, std::vector{right, left}}) {
    CHECK(joined(parts)[0].at("columns").at(0).at("settings") == 1);
    CHECK(joined(parts)[0].at("columns").at(2).at("settings") == 4);
  }
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
  differs(Pointer("/version"), "9.9.9", text("made by versions ", version, " and 9.9.9"));
  differs(Pointer("/columns/0/label"), "tiny", "columns or their settings differ");
  differs(Pointer("/columns/0/settings"), 1, "columns or their settings differ");
  differs(Pointer("/rows/1/cells/2/mean"), 3, "ours, large has two outcomes");
  auto fewer = table;
  fewer.at("columns").erase(2);
  CHECK_THROWS_WITH(joined({table, fewer}), Contains("3 and 2 columns"));
  CHECK_THROWS_WITH(joined({nlohmann::json{{"table", 2}}, table}), Contains("no table of lacuna-reproduce"));
}

TEST_CASE("tables share cells of the same job and settings") {
  const nlohmann::json one{{"mean", 0.5}, {"deviation", nullptr}, {"missing", 0.25}, {"seeds", 1}};
  std::vector<nlohmann::json> tables{empty(table_5()), empty(table_9())};
  for (auto& cell : row(tables[1], "ours, 1 step").at("cells")) cell = one;  // FNO on shallow water, UNet on advection
  row(tables[0], "MissDiff, UNet").at("cells").at(2) = one;
  const auto given = tables;
  share_cells(tables);
  const auto cells = [&](std::size_t t, const std::string& label) { return row(tables[t], label).at("cells"); };
  CHECK(cells(0, "ours, FNO") == nlohmann::json{one, one, nullptr, nullptr});
  CHECK(cells(0, "ours, UNet") == nlohmann::json{nullptr, nullptr, one, one});
  CHECK(cells(1, "MissDiff") == nlohmann::json{nullptr, nullptr, one, nullptr});
  CHECK(cells(1, "ours, 200 steps") == nlohmann::json{nullptr, nullptr, nullptr, nullptr});
  CHECK(tables[0].at("shared") == std::vector{9});
  CHECK(tables[1].at("shared") == std::vector{5});
  CHECK_THAT(Sheet(tables[0]).made, Contains("a processor, 1 thread; some cells are those of table 9; 0 min in all"));
  // A table keeps its own, also of fewer seeds, and is given that of most.
  const nlohmann::json three{{"mean", 2.0}, {"deviation", 0.5}, {"missing", 1.0}, {"seeds", 3}};
  auto own = given;
  row(own[0], "ours, FNO").at("cells").at(1) = one;
  row(own[1], "ours, 1 step").at("cells").at(1) = three;
  own.push_back(empty(table_4()));
  share_cells(own);
  CHECK(row(own[0], "ours, FNO").at("cells").at(1) == one);
  CHECK(row(own[1], "ours, 1 step").at("cells").at(1) == three);
  CHECK(row(own[2], "ours, contexts").at("cells").at(1) == three);
  CHECK(own[2].at("shared") == std::vector{9});
  // Neither another budget nor another version nor other settings are the same.
  for (const char* what : {"budget", "version"}) {
    auto changed = given;
    changed[0][what] = "another";
    const auto before = changed;
    share_cells(changed);
    CHECK(changed == before);
  }
  auto moved = given;  // kept when the paper's table had other gaps there
  moved[1].at("columns").at(1).at("gaps") = "p20";
  share_cells(moved);
  CHECK(row(moved[0], "ours, FNO").at("cells") == nlohmann::json{one, nullptr, nullptr, nullptr});
  auto longer = given;
  longer[0].at("columns").at(0).at("settings").at("steps") = 4000;
  share_cells(longer);
  CHECK(row(longer[0], "ours, FNO").at("cells") == nlohmann::json{nullptr, one, nullptr, nullptr});
  std::vector<nlohmann::json> none{{{"budget", "small"}}};
  CHECK_THROWS_WITH(share_cells(none), Contains("no table of lacuna-reproduce"));
}
