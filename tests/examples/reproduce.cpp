// lacuna-reproduce as a user runs it: all tables of the smallest budget, going on after a stop, and one clear line for mistakes.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "catch.hpp"
#include "examples/program.hpp"

using namespace lacuna;
using Catch::Matchers::Contains;

namespace {

struct Reproduce : Program {
  Reproduce() : Program(LACUNA_REPRODUCE) {}

  Run operator()(const std::string& arguments) const { return Program::operator()(arguments + rest()); }
  void fails(const std::string& arguments, const std::string& what) const { Program::fails(arguments + rest(), what); }
  nlohmann::json table(int number) const {
    std::ifstream in(std::filesystem::path(folder / "r") / "smoke" / text("table", number, ".json"));
    return nlohmann::json::parse(in);
  }

 private:
  std::string rest() const { return " --threads 1 --folder " + (folder / "r"); }
};

}  // namespace

TEST_CASE("all tables of the smoke budget are made, printed with the paper's figures, and drawn") {
  const Reproduce reproduce;
  const auto run = reproduce("all --budget smoke");
  INFO(run.error);
  REQUIRE(run.code == 0);
  CHECK(run.error.empty());
  for (const int number : {1, 2, 4, 5, 6, 7, 8, 9}) {
    INFO(number);
    CHECK_THAT(run.out, Contains(text("\nTable ", number, ", ")));
    const auto table = reproduce.table(number);
    for (const auto& row : table.at("rows"))
      for (const auto& cell : row.at("cells"))
        if (!cell.is_null()) CHECK(cell.at("mean").get<double>() >= 0);
    CHECK(table.at("rows").at(0).at("cells").size() == table.at("columns").size());
  }
  CHECK_THAT(run.out, Contains("(0.7592 +- 0.039)"));
  const auto pictures = std::filesystem::path(reproduce.folder / "r") / "smoke";
  std::size_t drawn = 0;
  for (const auto& entry : std::filesystem::directory_iterator(pictures))
    if (entry.path().filename().string().starts_with("table2_kolmogorov_b8_")) {
      ++drawn;
      CHECK(entry.file_size() > 1000);
    }
  CHECK(drawn == 1);
}

TEST_CASE("a table that was stopped goes on with what is missing, and ends the same") {
  const Reproduce reproduce;
  REQUIRE(reproduce("5 --budget smoke --columns advection").code == 0);
  const auto before = reproduce.table(5);
  const auto outcomes = std::filesystem::path(reproduce.folder / "r") / "smoke" / "outcomes";
  std::size_t count = 0;
  std::filesystem::path one;
  for (const auto& entry : std::filesystem::directory_iterator(outcomes)) one = (++count, entry.path());
  CHECK(count == 8);  // four rows, two columns
  std::filesystem::remove(one);
  const auto again = reproduce("5 --budget smoke --columns advection");
  CHECK(again.code == 0);
  const auto lines = [&](const std::string& words) {
    std::size_t found = 0;
    for (auto at = again.out.find(words); at != std::string::npos; at = again.out.find(words, at + 1)) ++found;
    return found;
  };
  CHECK(lines("missing positions") == 1);
  CHECK(lines("trained") == 0);
  CHECK(reproduce.table(5).at("rows") == before.at("rows"));
}

TEST_CASE("two seeds give a mean and a deviation") {
  const Reproduce reproduce;
  const auto run = reproduce("2 --budget smoke --columns b5 --seeds 2");
  CHECK(run.code == 0);
  const auto table = reproduce.table(2);
  const auto& cells = table.at("rows").at(0).at("cells");
  REQUIRE(cells.size() == 5);
  CHECK(cells.at(0).is_null());  // not asked for
  const auto& cell = cells.at(3);
  CHECK(cell.at("seeds") == 2);
  CHECK(cell.at("deviation").get<double>() > 0);
  CHECK_THAT(run.out, Contains("+-"));
  CHECK_THAT(run.out, Contains("(1.094)"));  // the paper's figure of the whole table's fourth column
}

TEST_CASE("a column that is made later joins those there are") {
  const Reproduce reproduce;
  REQUIRE(reproduce("2 --budget smoke --columns b5").code == 0);
  const auto before = reproduce.table(2);
  const auto run = reproduce("2 --budget smoke --columns kolmogorov");
  CHECK(run.code == 0);
  const auto after = reproduce.table(2);
  for (std::size_t r = 0; r < before.at("rows").size(); ++r) {
    const auto& cells = after.at("rows").at(r).at("cells");
    CHECK(cells.at(1) == before.at("rows").at(r).at("cells").at(1));
    CHECK(cells.at(2).is_null());
    CHECK(cells.at(4).is_null() == cells.at(1).is_null());
  }
  CHECK_THAT(run.out, Contains("5/9"));
  CHECK_THAT(run.out, !Contains("advection 8/9"));
}

TEST_CASE("a budget of one column's settings is enough for that column, whose pictures of other settings stay") {
  const Reproduce reproduce;
  const std::string key = "kolmogorov blocks";
  auto smoke = nlohmann::json::parse(content(std::string(LACUNA_TEST_DATA) + "/../../examples/reproduce.json")).at("smoke");
  const auto run = [&] {
    put_content(reproduce.folder / "own.json", nlohmann::json{{"smoke", {{key, smoke.at(key)}}}}.dump());
    return reproduce("2 --budget smoke --columns kolmogorov --settings " + (reproduce.folder / "own.json"));
  };
  REQUIRE(run().code == 0);
  smoke.at(key)["members"] = smoke.at(key).at("members").get<int>() + 1;
  REQUIRE(run().code == 0);
  CHECK(reproduce.table(2).at("columns").at(4).at("settings").at("members") == smoke.at(key).at("members"));
  std::size_t pictures = 0;
  for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(reproduce.folder / "r") / "smoke"))
    pictures += entry.path().extension() == ".png" ? 1 : 0;
  CHECK(pictures == 2);
  reproduce.fails("2 --budget smoke --columns advection --settings " + (reproduce.folder / "own.json"),
                  "budget smoke has no settings for advection blocks");
}

TEST_CASE("lacuna-reproduce says what it was asked for in vain") {
  const Reproduce reproduce;
  reproduce.fails("3", "table 3: expected 1, 2, 4, 5, 6, 7, 8, 9 or all");
  reproduce.fails("one", "table one: expected");
  reproduce.fails("1 --budget huge", "--budget huge: ");
  reproduce.fails("1 --budget smoke --columns era5", "table 1: no column of it matches --columns");
  reproduce.fails("1 --settings /nowhere.json", "/nowhere.json: cannot be read");
  reproduce.fails("", "table is required");
}
