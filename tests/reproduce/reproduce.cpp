#include "reproduce/reproduce.hpp"

#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "../data/scratch.hpp"
#include "catch.hpp"
#include "reproduce/tiny.hpp"

using namespace lacuna;
using namespace lacuna::experiment;

TEST_CASE("a table has what another command made in the folder meanwhile") {
  const Scratch folder;
  const Table table = table_4();
  const experiment::Budget budget{{"advection pixels", tiny()}};
  const auto command = [&](const std::string& row, DoesNetworkJobs networks) {
    ReproduceOptions o{.budget = "tiny", .folder = folder / "r", .columns = {"advection 80 %"}, .rows = {row}, .threads = 1};
    o.networks = std::move(networks);
    return Reproduction(budget, o)(table);
  };
  const auto made = [&](const nlohmann::json& json) {
    std::vector<std::string> labels;
    for (const auto& row : json.at("rows"))
      if (!row.at("cells").at(2).is_null()) labels.push_back(row.at("label"));
    return labels;
  };
  const auto device = std::make_shared<cpu::Device>(cpu::Device::Settings{.threads = 1});
  nlohmann::json inner;
  // The second command runs while the first one has seen what there is, and has not yet made its own.
  const auto outer = command("ours, contexts", [&](const NetworkJob& job) {
    inner = command("ours, M itself", {});
    return train_and_fill(device, job);
  });
  CHECK(made(inner) == std::vector<std::string>{"ours, M itself"});
  CHECK(made(outer) == std::vector<std::string>{"ours, M itself", "ours, contexts"});
  std::ifstream file(folder / "r/tiny/table4.json");
  CHECK(nlohmann::json::parse(file) == outer);
}

TEST_CASE("without OpenCV its rows are left out, and the table says how to get them") {
  const Scratch folder;
  const Table table = table_9();
  const auto made = [&](bool opencv) {
    ReproduceOptions o{.budget = "tiny",
                       .folder = folder / (opencv ? "with" : "without"),
                       .columns = {"advection 80 %"},
                       .rows = {"temporal", "fast marching", "inpainting"},
                       .threads = 1};
    o.opencv = opencv;
    const auto json = Reproduction({{"advection pixels", tiny()}}, o)(table);
    std::vector<bool> cells;
    for (std::size_t r = 0; r < 3; ++r) cells.push_back(!json.at("rows").at(r).at("cells").at(2).is_null());
    return std::pair(cells, json.value("note", "").find("are left out: build with OpenCV (Debian: libopencv-photo-dev)"));
  };
  const auto without = made(false);
  CHECK(without.first == std::vector<bool>{true, false, false});
  CHECK(without.second != std::string::npos);
  if (!fill::has_opencv) return;
  const auto with = made(true);
  CHECK(with.first == std::vector<bool>{true, true, true});
  CHECK(with.second == std::string::npos);
}
