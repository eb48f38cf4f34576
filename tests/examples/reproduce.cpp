// lacuna-reproduce as a user runs it: all tables of the smallest budget, going on after a stop, and one clear line for mistakes.

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "../data/era5_maker.hpp"
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
#ifdef LACUNA_FILL_HAS_OPENCV
  constexpr bool without_opencv = false;
#else
  constexpr bool without_opencv = true;
#endif
  CHECK(without_opencv == (run.out.find("are left out: build with OpenCV") != std::string::npos));
  for (const int number : {1, 2, 4, 5, 6, 7, 8, 9}) {
    INFO(number);
    CHECK_THAT(run.out, Contains(text("\nTable ", number, ", ")));
    const auto table = reproduce.table(number);
    for (const auto& row : table.at("rows"))
      for (std::size_t c = 0; c < row.at("cells").size(); ++c) {
        const auto& cell = row.at("cells").at(c);
        const std::string label = row.at("label");
        INFO(label);
        const bool opencv = label == "fast marching" || label == "Navier-Stokes inpainting";
        REQUIRE(cell.is_null() == (table.at("columns").at(c).at("set") == "era5" || (opencv && without_opencv)));
        if (!cell.is_null()) CHECK(cell.at("mean").get<double>() >= 0);
      }
    CHECK(table.at("rows").at(0).at("cells").size() == table.at("columns").size());
  }
  CHECK_THAT(run.out, Contains("(0.7592 +- 0.039)"));
  CHECK_THAT(run.out, Contains("The ERA5 columns are left out") && Contains("reanalysis-era5-single-levels"));
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
  CHECK(count == 10);  // five rows, two columns
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
  // What is made later, of one seed, takes none from the others.
  REQUIRE(reproduce("2 --budget smoke --columns 'advection 8/9' --rows Laplace").code == 0);
  const auto after = reproduce.table(2);
  for (std::size_t r = 0; r < table.at("rows").size(); ++r)
    CHECK(after.at("rows").at(r).at("cells").at(3) == table.at("rows").at(r).at("cells").at(3));
}

TEST_CASE("an outcome that cannot be made is named, and the table has those before it") {
  const Reproduce reproduce;
  REQUIRE(reproduce("4 --budget smoke --columns advection --rows 'ours, M itself'").code == 0);
  const std::filesystem::path made = reproduce.folder / "r/smoke";
  std::filesystem::remove(made / "table4.json");
  std::filesystem::path network;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(made / "networks"))
    if (entry.path().string().find("p30") != std::string::npos && entry.path().filename() == "state.safetensors")
      network = entry.path();
  std::ofstream(network) << "damaged";
  reproduce.fails("4 --budget smoke --columns advection --rows ours", "advection 30 %, ours, contexts, seed 1: ");
  const auto table = reproduce.table(4);
  const auto cells = [&](std::size_t r) { return table.at("rows").at(r).at("cells"); };
  CHECK_FALSE((cells(1).at(2).is_null() || cells(1).at(3).is_null() || cells(2).at(2).is_null()));
  CHECK(cells(2).at(3).is_null());
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
  CHECK_THAT(run.out, Contains("advection 5/9"));
  CHECK_THAT(run.out, !Contains("advection 8/9"));
}

TEST_CASE("rows that are made later join those there are") {
  const Reproduce reproduce;
  REQUIRE(reproduce("9 --budget smoke --columns advection --rows kriging 'ours, 1 step'").code == 0);
  const auto labels = [&] {
    std::set<std::string> made;
    const auto table = reproduce.table(9);
    for (const auto& row : table.at("rows"))
      if (!row.at("cells").at(2).is_null()) made.insert(row.at("label"));
    return made;
  };
  const std::string background = "ours, random ratio, kriging background";
  CHECK(labels() == std::set<std::string>{"kriging", "ours, 1 step", background});
  REQUIRE(reproduce("9 --budget smoke --columns advection --rows Laplace").code == 0);
  CHECK(labels() == std::set<std::string>{"kriging", "Laplace", "ours, 1 step", background});
}

TEST_CASE("all tables at once are those that have what is asked for") {
  const Reproduce reproduce;
  const auto run = reproduce("all --budget smoke --columns advection --rows Laplace");
  REQUIRE(run.code == 0);
  CHECK_THAT(run.out, Contains("Table 2") && Contains("Table 9") && !Contains("Table 1,") && !Contains("Table 5"));
}

TEST_CASE("a network's training counts once in a table's time, however many rows use it") {
  const Reproduce reproduce;
  REQUIRE(reproduce("4 --budget smoke --columns advection --rows ours").code == 0);
  double filling = 0, training = 0;
  int outcomes = 0;
  for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(reproduce.folder / "r/smoke/outcomes"))) {
    const auto outcome = nlohmann::json::parse(content(entry.path().string()));
    filling += outcome.at("seconds").get<double>();
    training += outcome.at("training").get<double>();
    ++outcomes;
  }
  CHECK(outcomes == 4);  // two rows, two columns, each with one network
  CHECK(training > 0);
  CHECK(reproduce.table(4).at("seconds").get<double>() == Approx(filling + training / 2));
}

TEST_CASE("a table that was made is shown in Markdown, with what made it") {
  const Reproduce reproduce;
  REQUIRE(reproduce("2 --budget smoke --columns b5").code == 0);
  const auto made = reproduce.table(2).at("made");
  REQUIRE(made.size() == 1);
  CHECK(made.at(0).at("threads") == 1);
  CHECK(made.at(0).at("commit").get<std::string>().size() >= 7);
  const auto shown = reproduce("--show " + (reproduce.folder / "r/smoke/table2.json"));
  CHECK(shown.code == 0);
  CHECK_THAT(shown.out, Contains("### Table 2, block masks\n") && Contains("| method | shallow water 5/9 | advection 5/9 |\n") &&
                            Contains("(0.0865 +- 0.0014)") && Contains("Budget smoke; 1 seed; commit "));
}

TEST_CASE("the documentation's tables are those that its JSON files make") {
  const Reproduce reproduce;
  const std::string docs = std::string(LACUNA_TEST_DATA) + "/../../docs/";
  const std::string page = content(docs + "results.md");
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(docs + "results")) names.insert(entry.path().string());
  std::string files;
  for (const auto& name : names) files += " " + name;
  const auto shown = reproduce("--show" + files);
  REQUIRE(shown.code == 0);
  std::size_t tables = 0;
  for (std::size_t at = 0, next = 0; at < shown.out.size(); at = next, ++tables) {
    next = std::min(shown.out.find("### ", at + 1), shown.out.size());
    const std::string table = shown.out.substr(at, shown.out.find_last_not_of('\n', next - 1) + 1 - at);
    INFO(table);
    CHECK(page.find(table + "\n") != std::string::npos);
  }
  CHECK(tables >= 1);
}

TEST_CASE("a budget of one column's settings is enough for that column, whose pictures of other settings stay") {
  const Reproduce reproduce;
  const std::string key = "kolmogorov blocks";
  auto smoke =
      nlohmann::json::parse(content(std::string(LACUNA_TEST_DATA) + "/../../examples/reproduce/settings.json")).at("smoke");
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

TEST_CASE("the ERA5 columns are made of files in the store's forms, and anew of others") {
  const Reproduce reproduce;
  const auto file = [&](const std::string& name) { return reproduce.folder / name; };
  const auto value = [](const Era5Cell& c) {
    double slow = static_cast<double>(c.name.size()), kind = 0;  // smooth in space, moving, each variable with its own unit
    for (const char letter : c.name) kind += letter;
    slow += 0.3 * c.x + 0.2 * c.y - 0.15 * static_cast<double>(c.hour - 480000) + kind;
    return static_cast<float>((c.name == "z" ? 55000 : kind) + kind * (std::sin(slow) + 0.5 * std::cos(0.7 * slow - 0.4 * c.y)));
  };
  Era5Content content{.names = {"t2m", "msl", "sp", "tcwv", "u10", "v10", "u100", "v100"}, .hours = 6 * 24, .value = value};
  content.latitudes.clear(), content.longitudes.clear();
  for (int i = 0; i < 24; ++i) content.latitudes.push_back(60 - 0.25 * i), content.longitudes.push_back(0.25 * i);
  write_legacy_era5(file("first.nc"), content, {.preliminary_from = 100});
  content.first_hour += 4 * 24;  // two days are in both
  write_era5(file("second.nc"), content, std::vector<std::string>(6 * 24, "0005"));
  const auto heights = [&](bool other) {
    Era5Content z = content;
    z.names = {"z"};
    z.first_hour = 480000;
    z.hours = 10 * 24;
    if (other) z.value = [&](const Era5Cell& c) { return value(c) + static_cast<float>(c.x); };
    write_era5(file("z.nc"), z, {}, true);
  };
  heights(false);
  const std::string files = " --era5 " + file("second.nc") + " " + file("z.nc") + " " + file("first.nc");
  const auto run = reproduce("1 --budget smoke --columns era5" + files);
  INFO(run.error);
  REQUIRE(run.code == 0);
  CHECK_THAT(run.out, Contains("ERA5 20 %") && Contains("(9.735)") && !Contains("left out: name their files"));
  const auto table = reproduce.table(1);
  const auto error = [](const nlohmann::json& of, const std::string& label, std::size_t column) {
    for (const auto& row : of.at("rows"))
      if (row.at("label") == label) return row.at("cells").at(column).at("mean").get<double>();
    throw Error(label);
  };
  for (const auto& row : table.at("rows")) {
    INFO(row.dump());
    CHECK(row.at("cells").at(0).is_null());  // not asked for
    CHECK(row.at("cells").at(3).is_null() == row.at("cells").at(5).is_null());
  }
  // Of fields this smooth kriging leaves less than any neighbour's value does, and less of more pixels.
  CHECK(error(table, "kriging", 3) < error(table, "temporal consistency", 3));
  CHECK(error(table, "kriging", 3) < error(table, "kriging", 5));
  CHECK(error(table, "ours, as published", 3) > 0);
  const auto settings = table.at("columns").at(3).at("settings");
  // Named again, the heights before, they are the same data; with other content they are not.
  const auto again =
      reproduce("1 --budget smoke --columns era5 --era5 " + file("z.nc") + " " + file("second.nc") + " " + file("first.nc"));
  CHECK_THAT(again.out, !Contains("missing positions"));
  CHECK(reproduce.table(1).at("rows") == table.at("rows"));
  heights(true);
  const auto other = reproduce("1 --budget smoke --columns p10" + files);
  CHECK_THAT(other.out, Contains("ERA5 10 %, kriging, seed 1"));
  CHECK(reproduce.table(1).at("columns").at(3).at("settings").at("data") != settings.at("data"));
  reproduce.fails("1 --budget smoke --columns era5 --era5 " + file("first.nc"), "there is no variable z: ");
}

TEST_CASE("on a full disk it says what cannot be written, keeps what there is, and goes on when there is room") {
  const Reproduce reproduce;
  const std::string column = "4 --budget smoke --columns 'advection 80' --rows ours";
  const auto full = [&](int blocks, const std::string& what) {  // no file may exceed so many blocks of 512 bytes
    const Program limited(text("trap '' XFSZ; ulimit -f ", blocks, "; " LACUNA_REPRODUCE));
    limited.fails(column + " --threads 1 --folder " + (reproduce.folder / "r"), what);
  };
  const auto smoke = std::filesystem::path(reproduce.folder / "r") / "smoke";
  const auto files = [&] {
    std::set<std::string> found;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(smoke))
      if (entry.is_regular_file()) found.insert(entry.path().string());
    return found;
  };
  full(100, "advection-16-6.nc: no room for its 1 MiB: ");
  CHECK(files().empty());
  REQUIRE(reproduce("2 --budget smoke --columns 'advection 8/9' --rows Laplace").code == 0);  // the samples
  const auto before = files();
  full(100, "state.safetensors: cannot be written: ");
  CHECK(files() == before);
  REQUIRE(reproduce(column).code == 0);
  const auto all = files();
  const auto table = reproduce.table(4);
  std::filesystem::remove_all(smoke / "outcomes");
  full(4, ".json: cannot be written: ");
  for (const auto& file : all)
    if (file.ends_with(".png")) std::filesystem::remove(file);
  full(24, ".png: cannot be written: ");
  const auto again = reproduce(column);
  CHECK(again.code == 0);
  CHECK_THAT(again.out, !Contains("trained"));
  CHECK(reproduce.table(4).at("rows") == table.at("rows"));
}

TEST_CASE("lacuna-reproduce says what it was asked for in vain") {
  const Reproduce reproduce;
  reproduce.fails("3", "table 3: expected 1, 2, 4, 5, 6, 7, 8, 9 or all");
  reproduce.fails("one", "table one: expected");
  reproduce.fails("1 --budget huge", "--budget huge: ");
  reproduce.fails("all --budget smoke --columns p81", "no table has a column of --columns and a row of --rows");
  reproduce.fails("1 --budget smoke --columns p81", "table 1: no column of it matches --columns");
  reproduce.fails("1 --budget smoke --rows guess", "table 1: no row of it matches --rows");
  reproduce.fails("1 --budget smoke --columns era5", "table 1: its ERA5 columns need --era5 FILE...");
  reproduce.fails("1 --budget smoke --era5 /nowhere.nc", "/nowhere.nc: there is no such file");
  reproduce.fails("1 --settings /nowhere.json", "/nowhere.json: cannot be read");
  reproduce.fails("--show /nowhere.json", "/nowhere.json: cannot be read");
  reproduce.fails("", "table is required");
}
