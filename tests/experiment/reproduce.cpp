#include "lacuna/experiment/reproduce.hpp"

#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "../data/scratch.hpp"
#include "catch.hpp"
#include "experiment/tiny.hpp"

using namespace lacuna;
using namespace lacuna::experiment;

TEST_CASE("a table has what another command made in the folder meanwhile") {
  const Scratch folder;
  const Table table = table_4();
  const Budget budget{{"advection pixels", tiny()}};
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
  cpu::Device device({.threads = 1});
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
