#include "reproduce/settings.hpp"

#include <fstream>

#include "../data/scratch.hpp"
#include "catch.hpp"
#include "support/probe.hpp"

using namespace lacuna;
using experiment::read_budget;

namespace {

std::string file(const Scratch& folder, const std::string& content) {
  const std::string path = folder / "budgets.json";
  std::ofstream(path) << content;
  return path;
}
const std::string whole = R"("train": 4, "test": 2, "solver": 16, "frames": 6, "window": 3, "hidden": 4, "batch": 2, "steps": 9)";

}  // namespace

TEST_CASE("a budget is read with its defaults") {
  const Scratch folder;
  const auto budget = read_budget(file(folder, R"({"tiny": {"advection pixels": {)" + whole + R"(, "seeds": 3}}})"), "tiny");
  REQUIRE(budget.size() == 1);
  const auto& s = budget.at("advection pixels");
  CHECK((s.train == 4 && s.test == 2 && s.solver == 16 && s.frames == 6 && s.window == 3 && s.steps == 9 && s.seeds == 3));
  CHECK((s.coarsen == 1 && s.crop == 0 && s.members == 10 && s.unet == "unet"));
}

TEST_CASE("every budget of lacuna-reproduce has the settings of every column") {
  for (const char* name : {"smoke", "small", "full"}) {
    const auto budget = read_budget(LACUNA_TEST_DATA "/../../examples/reproduce/settings.json", name);
    for (const char* set : {"kolmogorov", "shallow-water", "advection"})
      for (const char* gaps : {" pixels", " blocks"}) CHECK(budget.contains(std::string(set) + gaps));
    CHECK(budget.contains("era5 pixels"));
  }
}

TEST_CASE("the word for settings changes with them and with the content of files, and not with the seeds") {
  experiment::SetSettings s;
  const std::string word = digest(s);
  s.seeds = 5;
  CHECK(digest(s) == word);
  s.data = "0123";
  const std::string other = digest(s);
  CHECK(other != word);
  s.data = "0124";
  CHECK(digest(s) != other);
}

TEST_CASE("a budget file that is wrong says where") {
  const Scratch folder;
  const auto message = [&](const std::string& content, const char* budget = "tiny") {
    const auto path = file(folder, content);
    std::string words = test::message_of<Error>([&] { read_budget(path, budget); });
    if (const auto at = words.find(path); at != std::string::npos) words.replace(at, path.size(), "FILE");
    return words;
  };
  CHECK(message("{") == "FILE: is not a JSON object of budgets");
  CHECK(message(R"({"tiny": {}, "large": {}})", "huge") == "--budget huge: FILE has large, tiny");
  CHECK(message(R"({"tiny": {"a": {"train": 4}}})") == "FILE: tiny, a: test must be a whole number from 0");
  const std::string unsolved = R"("train": 4, "test": 2, "frames": 6, "window": 3, "hidden": 4, "batch": 2, "steps": 9)";
  CHECK(message(R"({"tiny": {"a": {)" + unsolved + "}}}") == "FILE: tiny, a: solver must be a whole number from 0");
  CHECK(message(R"({"tiny": {"era5 pixels": {)" + unsolved + "}}}").empty());
  CHECK(message(R"({"tiny": {"era5 pixels": {)" + whole + "}}}") == "FILE: tiny, era5 pixels: solver is no setting");
  CHECK(message(R"({"tiny": {"a": {)" + whole + R"(, "coarsen": "x"}}})") ==
        "FILE: tiny, a: coarsen must be a whole number from 0");
  const auto with = [&](const std::string& entry, const std::string& key = "a") {
    return message(R"({"tiny": {")" + key + R"(": {)" + whole + ", " + entry + "}}}");
  };
  CHECK(with(R"("batch": 2.5)") == "FILE: tiny, a: batch must be a whole number from 0");
  CHECK(with(R"("learning_rate": 0.5)").empty());
  CHECK(with(R"("learning_rat": 0.5)") == "FILE: tiny, a: learning_rat is no setting");
  CHECK(with(R"("unet": "unett")") == "FILE: tiny, a: unet must be \"unet\" or \"space-time-unet\"");
  CHECK(with(R"("unet": 5)") == "FILE: tiny, a: unet must be \"unet\" or \"space-time-unet\"");
  CHECK(with(R"("hidden": 0)") == "FILE: tiny, a: numbers must be above 0, and window must divide frames");
  CHECK(with(R"("coarsen": 2)", "advection pixels") == "FILE: tiny, advection pixels: coarsen must be 1");
  CHECK(with(R"("coarsen": 2)", "kolmogorov pixels").empty());
  CHECK(message(R"({"tiny": 1})") == "FILE: tiny: expected an object of settings by set and kind of gaps");
  CHECK(message(R"({"tiny": {"a": 1}})") == "FILE: tiny, a: expected an object of settings");
  CHECK(message(R"({"tiny": {"a": {)" + whole + R"(, "window": 4}}})") ==
        "FILE: tiny, a: numbers must be above 0, and window must divide frames");
  CHECK(test::message_of<DataError>([&] { read_budget(folder / "none.json", "tiny"); }) ==
        (folder / "none.json") + ": cannot be read");
}
