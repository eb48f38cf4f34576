#include "reproduce/results.hpp"

#include <chrono>
#include <filesystem>

#include "../data/scratch.hpp"
#include "catch.hpp"

using namespace lacuna;
using namespace lacuna::experiment;

TEST_CASE("an outcome is found again bit for bit, but not with other settings or another seed") {
  const Scratch folder;
  const Results results(folder / "outcomes");
  const Job job{.set = "advection", .gaps = "p80", .method = "ours"};
  SetSettings s;
  s.steps = 7;
  const Outcome outcome{.errors = {0.1234567890123, 1e-9},
                        .training = 7.25,
                        .seconds = 3.5,
                        .shown = {0.1f, -2.5f, 3e-8f},
                        .origin = {"abc1234", "a processor", 2}};
  CHECK_FALSE(results.load(job, s, 1));
  results.save(job, s, 1, outcome);
  const auto found = results.load(job, s, 1);
  REQUIRE(found);
  CHECK(found->errors.table == outcome.errors.table);
  CHECK(found->errors.missing == outcome.errors.missing);
  CHECK(found->training == outcome.training);
  CHECK(found->seconds == outcome.seconds);
  CHECK(found->shown == outcome.shown);
  CHECK(found->origin == outcome.origin);
  CHECK_FALSE(results.load(job, s, 2));
  s.steps = 8;
  CHECK_FALSE(results.load(job, s, 1));
}

TEST_CASE("a damaged outcome is none, and one that is written is newer than a file that was there before") {
  const Scratch folder;
  const std::filesystem::path outcomes = folder / "outcomes", file = folder / "picture.png";
  const Results results(outcomes);
  const Job job{.set = "advection", .gaps = "p80", .method = "ours"};
  const SetSettings s;
  CHECK(results.newer(job, s, 1, file));
  put_content(file.string(), "picture");
  std::filesystem::last_write_time(file, std::filesystem::file_time_type::clock::now() - std::chrono::minutes(1));
  results.save(job, s, 1, {.errors = {1, 2}, .shown = {3}});
  CHECK(results.newer(job, s, 1, file));
  std::filesystem::last_write_time(file, std::filesystem::file_time_type::clock::now() + std::chrono::minutes(1));
  CHECK_FALSE(results.newer(job, s, 1, file));
  REQUIRE(results.load(job, s, 1));
  const auto path = std::filesystem::directory_iterator(outcomes)->path().string();
  for (const std::string words : {"", "{\"error\": 1", "[]", "{\"seconds\": 1}", "{\"error\": \"none\"}"}) {
    INFO(words);
    put_content(path, words);
    CHECK_FALSE(results.load(job, s, 1));
  }
}

TEST_CASE("mean and deviation over seeds") {
  CHECK(statistics({}).values.empty());
  CHECK(statistics({3.0}).mean == 3.0);
  CHECK(std::isnan(statistics({3.0}).deviation));
  CHECK(statistics({1.0, 3.0}).mean == 2.0);
  CHECK(statistics({1.0, 3.0}).deviation == Approx(std::sqrt(2.0)));
}
