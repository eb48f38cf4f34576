#include "lacuna/model/checkpoint.hpp"

#include <filesystem>
#include <fstream>
#include <limits>

#include "../data/scratch.hpp"
#include "catch.hpp"

using namespace lacuna;
using namespace lacuna::model;

namespace {

struct Folder {
  std::filesystem::path path = std::filesystem::temp_directory_path() / ("lacuna_checkpoint_" + std::to_string(getpid()));
  Folder() { std::filesystem::remove_all(path); }
  ~Folder() { std::filesystem::remove_all(path); }
};

Parameters<float> network() {
  Parameters<float> p;
  p.add("first.weight", {2, 3}, 0.5f);
  p.add("first.bias", {2}, -1.0f);
  return p;
}

train::OptimizerState<float> state() {
  return {{1, 2, 3, 4, 5, 6, 7, 8}, {8, 7, 6, 5, 4, 3, 2, 1}, {0, 1, 0, 1, 0, 1, 0, 1}, 42};
}

}  // namespace

TEST_CASE("a checkpoint gives the whole state back") {
  const Folder folder;
  const Checkpoint checkpoint(folder.path / "deep", {{"seed", "1"}});
  auto parameters = network();
  auto empty = train::OptimizerState<float>{};
  CHECK_FALSE(checkpoint.load(parameters, empty).has_value());
  checkpoint.save(parameters, state(), {.training = {.seconds = 12.5, .decay_from = 7.0}, .threads = 3});
  auto restored = network();
  restored.values().assign(8, 0.0f);
  train::OptimizerState<float> s;
  const auto progress = checkpoint.load(restored, s);
  REQUIRE(progress.has_value());
  CHECK(progress->training.seconds == 12.5);
  CHECK(progress->training.decay_from == 7.0);
  CHECK(progress->training.best == 1e300);
  CHECK(progress->threads == 3);
  CHECK(restored.values() == parameters.values());
  CHECK(s.first_moment == state().first_moment);
  CHECK(s.second_moment == state().second_moment);
  CHECK(s.average == state().average);
  CHECK(s.step == 42);
}

TEST_CASE("the averaged weights lie beside it under their names") {
  const Folder folder;
  Checkpoint(folder.path, {}).save(network(), state(), {});
  const auto file = data::read_safetensors((folder.path / "parameters.safetensors").string());
  CHECK(file.at("first.weight").shape == std::vector<std::int64_t>{2, 3});
  CHECK(file.at("first.bias").as<float>() == std::vector<float>{0, 1});
}

TEST_CASE("a checkpoint of another run is named as such") {
  const Folder folder;
  auto parameters = network();
  auto s = state();
  Checkpoint(folder.path, {{"seed", "1"}}).save(parameters, s, {});
  CHECK_THROWS_WITH(Checkpoint(folder.path, {{"seed", "2"}}).load(parameters, s),
                    Catch::Matchers::Contains("belongs to another run: seed is 1 there and 2 here"));
  CHECK_THROWS_WITH(Checkpoint(folder.path, {{"window", "3"}}).load(parameters, s),
                    Catch::Matchers::Contains("is not a checkpoint of lacuna-fill"));
  Parameters<float> other;
  other.add("first.weight", {3}, 0.0f);
  CHECK_THROWS_WITH(Checkpoint(folder.path, {{"seed", "1"}}).load(other, s),
                    Catch::Matchers::Contains("has 8 values, the network has 3"));
}

TEST_CASE("a damaged checkpoint is an error, not a fresh start") {
  const Folder folder;
  auto parameters = network();
  auto s = state();
  const Checkpoint checkpoint(folder.path, {});
  checkpoint.save(parameters, s, {});
  std::filesystem::resize_file(folder.path / "state.safetensors", 100);
  CHECK_THROWS_AS(checkpoint.load(parameters, s), DataError);
  std::ofstream(folder.path / "state.safetensors") << "not a checkpoint";
  CHECK_THROWS_AS(checkpoint.load(parameters, s), DataError);
}

TEST_CASE("a checkpoint that lacks a tensor, or holds one of another type, is named with its file before anything is computed") {
  const Folder folder;
  const Checkpoint checkpoint(folder.path, {});
  checkpoint.save(network(), state(), {});
  CHECK_NOTHROW(Checkpoint::check_readable(folder.path));
  const auto path = (folder.path / Checkpoint::file_name).string();
  const auto whole = data::read_safetensors(path);
  auto lacking = whole;
  lacking.tensors.erase("second_moment");
  seal(lacking);
  data::write_safetensors(path, lacking);
  CHECK_THROWS_WITH(Checkpoint::check_readable(folder.path),
                    Catch::Matchers::StartsWith(path) && Catch::Matchers::Contains("no tensor second_moment"));
  auto wide = whole;
  wide.tensors["average"] = data::Tensor::from(std::vector<double>(8));
  seal(wide);
  data::write_safetensors(path, wide);
  CHECK_THROWS_WITH(Checkpoint::check_readable(folder.path),
                    Catch::Matchers::StartsWith(path) && Catch::Matchers::Contains("average is of F64, expected F32"));
}

TEST_CASE("every flipped bit of a state is found, or changes nothing of what is read") {
  const Folder folder;
  const Checkpoint checkpoint(folder.path, {{"seed", "1"}});
  checkpoint.save(network(), state(), {});
  const auto path = (folder.path / Checkpoint::file_name).string();
  const std::string whole = content(path);
  auto parameters = network();
  train::OptimizerState<float> s;
  std::size_t refused = 0;
  for (std::size_t bit = 0; bit < 8 * whole.size(); ++bit) {
    std::string damaged = whole;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
    put_content(path, damaged);
    s = {};
    try {
      checkpoint.load(parameters, s);
      INFO("bit " << bit);
      CHECK((s.first_moment == state().first_moment && s.step == 42 && parameters.values() == network().values()));
    } catch (const DataError&) {
      ++refused;
    }
  }
  CHECK(refused > 8 * whole.size() * 9 / 10);
}

TEST_CASE("numbers that are none, and steps that cannot be, are damage") {
  const Folder folder;
  const Checkpoint checkpoint(folder.path, {});
  checkpoint.save(network(), state(), {});
  const auto path = (folder.path / Checkpoint::file_name).string();
  const auto whole = data::read_safetensors(path);
  auto parameters = network();
  train::OptimizerState<float> s;
  for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{
           {"step", "5x"}, {"step", "1e3"}, {"step", "-1"}, {"threads", ""}, {"seconds", "nan"}, {"misses", "3 "}}) {
    auto changed = whole;
    changed.metadata[name] = value;
    seal(changed);
    data::write_safetensors(path, changed);
    CHECK_THROWS_WITH(checkpoint.load(parameters, s), Catch::Matchers::Contains(name + " is " + value));
  }
  auto infinite = whole;
  infinite.tensors["average"] = data::Tensor::from(std::vector<float>(8, std::numeric_limits<float>::infinity()));
  seal(infinite);
  data::write_safetensors(path, infinite);
  CHECK_THROWS_WITH(checkpoint.load(parameters, s), Catch::Matchers::Contains("not all numbers of average are finite"));
  auto unsealed = whole;
  unsealed.metadata.erase("checksum");
  data::write_safetensors(path, unsealed);
  CHECK_THROWS_WITH(checkpoint.load(parameters, s), Catch::Matchers::Contains("it has no checksum"));
}

TEST_CASE("a state that is not finite never takes the place of a good checkpoint") {
  const Folder folder;
  const Checkpoint checkpoint(folder.path, {});
  auto parameters = network();
  auto s = state();
  checkpoint.save(parameters, s, {});
  s.second_moment[3] = std::nanf("");
  CHECK_THROWS_WITH(checkpoint.save(parameters, s, {}), Catch::Matchers::Contains("the checkpoint before it is kept"));
  REQUIRE(checkpoint.load(parameters, s).has_value());
  CHECK(s.second_moment == state().second_moment);
}

TEST_CASE("of several things that differ the first is named, and digests are not shown") {
  const Folder folder;
  auto parameters = network();
  auto s = state();
  Checkpoint(folder.path, {{"seed", "1"}, {"values", "111", true}}).save(parameters, s, {});
  CHECK_THROWS_WITH(Checkpoint(folder.path, {{"seed", "2"}, {"values", "222", true}}).load(parameters, s),
                    Catch::Matchers::EndsWith("belongs to another run: seed is 1 there and 2 here"));
  CHECK_THROWS_WITH(Checkpoint(folder.path, {{"seed", "1"}, {"values", "222", true}}).load(parameters, s),
                    Catch::Matchers::EndsWith("belongs to another run: values differ"));
}
