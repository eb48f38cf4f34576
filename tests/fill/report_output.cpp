#include "fill/report_output.hpp"

#include "catch.hpp"

using namespace lacuna;
using fill::to_json;
using model::Report;

TEST_CASE("the report's JSON has every error under its method's name") {
  Report r;
  r.scores = {{"mean", 1.0}, {"kriging", 0.25}, {"lacuna", 0.125}};
  r.seed = 7;
  r.weights = {0.5};
  r.planned_bytes = 1000;
  r.spread_calibration.spread.add(0.5, 1.0);
  r.spread_calibration.spread.add(-1.5, 1.0);
  r.spread_calibration.ensemble.add(std::span<const double>(std::vector<double>{0.0, 1.0}), 0.5);
  const auto json = to_json(r);
  CHECK(json["withheld_nmse"]["kriging"] == 0.25);
  CHECK(json["withheld_nmse"].size() == 3);
  CHECK(json["seed"] == 7);
  CHECK(json["weights"][0] == 0.5);
  CHECK(json["planned_memory_bytes"] == 1000);
  CHECK(json["spread_trust"]["values"] == 2);
  CHECK(json["spread_trust"]["coverage_50"] == 0.5);
  CHECK(json["spread_trust"]["coverage_90"] == 1.0);
  CHECK(json["spread_trust"]["members_rank_histogram"] == std::vector<double>{0, 1, 0});
  CHECK(r.score("lacuna") == 0.125);
  CHECK(r.score("nothing") == -1);
}

TEST_CASE("a classical method's JSON has what it has, and nothing of training") {
  Report r;
  r.method = "dineof";
  r.settings = "7 modes";
  r.scores = {{"mean", 1.0}, {"dineof", 0.25}};
  const auto json = to_json(r);
  CHECK(json["method"] == "dineof");
  CHECK(json["settings"] == "7 modes");
  CHECK(json["withheld_nmse"]["dineof"] == 0.25);
  for (const char* key : {"network", "steps", "mask", "members"}) CHECK_FALSE(json.contains(key));
  CHECK(to_json(Report{})["method"] == "diffusion");
}
