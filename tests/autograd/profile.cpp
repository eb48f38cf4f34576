#include "lacuna/autograd/profile.hpp"

#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>

#include "catch.hpp"
#include "lacuna/autograd/graph.hpp"
#include "lacuna/ops/activation.hpp"
#include "lacuna/ops/concatenate.hpp"

using namespace lacuna;

namespace {

void rest() { std::this_thread::sleep_for(std::chrono::milliseconds(5)); }
constexpr double rest_seconds = 5e-3;

const Profile::Row* find(const Profile& profile, std::string_view name) {
  for (const auto& row : profile.rows())
    if (row.name == name) return &row;
  return nullptr;
}

/// A step of y = silu([x, x]) on 6 positions of 2 channels, in double.
void step(cpu::Device& device, Parameters<double>& parameters, Profile* profile, bool dry = false) {
  const auto whole = Profile::step(profile);
  device.reset();
  Graph<double> graph(device, parameters, Mode::train, dry, profile);
  const auto x = graph.make({.height = 2, .width = 3, .channels = 2});
  if (!dry) std::fill_n(x.data, x.shape.size(), 0.5);
  const auto y = ops::activation<ops::Silu>(graph, ops::concatenate(graph, x, x));
  double* gradient = graph.take(y.shape.size());
  if (!dry) std::fill_n(gradient, y.shape.size(), 1.0);
  graph.contribute(y, gradient);
  graph.backward();
}

}  // namespace

TEST_CASE("Profile: calls, bytes moved and bytes kept of two ops, by hand") {
  cpu::Device device({.threads = 1});
  Parameters<double> parameters;
  Profile profile;
  for (int i = 0; i < 3; ++i) step(device, parameters, &profile);
  CHECK(profile.steps() == 3);
  REQUIRE(profile.rows().size() == 3);
  const auto *concatenate = find(profile, "concatenate"), *activation = find(profile, "activation");
  REQUIRE((concatenate != nullptr && activation != nullptr));
  CHECK((concatenate->calls == 3 && activation->calls == 3));
  // 6 x 4 doubles are 192 bytes: read and written forward, read and written backward; silu reads its operand backward too.
  CHECK(concatenate->moved == 3 * 4 * 192);
  CHECK(activation->moved == 3 * 5 * 192);
  CHECK((concatenate->kept == 3 * 192 && activation->kept == 3 * 192));
  CHECK((concatenate->forward > 0 && concatenate->backward > 0 && activation->forward > 0 && activation->backward > 0));
  CHECK(find(profile, "between ops")->backward == 0);
}

TEST_CASE("Profile: the rows' times add up to no more than the wall time, and to all that the steps took") {
  Profile profile;
  const auto start = std::chrono::steady_clock::now();
  {
    const auto whole = Profile::step(&profile);
    rest();
    {
      const auto outer = Profile::part(&profile, "outer");
      rest();
      {
        const auto inner = profile.op("inner", {.forward = 24}, nullptr, false);
        rest();
        CHECK(profile.stamp().row == 2);
      }
      rest();
    }
    const auto closure = profile.closure({2, 8});
    rest();
  }
  rest();  // outside of the step: nobody's
  const double wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  CHECK(profile.seconds() + rest_seconds <= wall);
  CHECK(profile.seconds() >= 5 * rest_seconds);
  const auto& rows = profile.rows();
  REQUIRE(rows.size() == 3);
  CHECK(rows[0].forward >= rest_seconds);
  CHECK(rows[1].forward >= 2 * rest_seconds);  // not the op inside it
  CHECK((rows[2].forward >= rest_seconds && rows[2].backward >= rest_seconds));
  CHECK((rows[2].moved == 32 && rows[2].calls == 1 && rows[1].calls == 1));
}

TEST_CASE("Profile: a dry pass tells nothing, and no profile costs nothing") {
  cpu::Device device({.threads = 1});
  Parameters<double> parameters;
  Profile profile;
  step(device, parameters, &profile, true);
  CHECK(profile.rows().size() == 1);
  const auto tape = device.tape().high_water();
  step(device, parameters, nullptr);
  CHECK(device.tape().high_water() == tape);
}

TEST_CASE("Profile: what is computed again is charged to its recomputation, and only the block's result counts as kept") {
  cpu::Device device({.threads = 1});
  Parameters<double> parameters;
  Profile profile;
  {
    const auto whole = Profile::step(&profile);
    Graph<double> graph(device, parameters, Mode::train, false, &profile);
    const auto x = graph.make({.height = 2, .width = 3, .channels = 2});
    std::fill_n(x.data, x.shape.size(), 0.5);
    const auto y = graph.recompute([&graph, x] {
      const auto both = ops::concatenate(graph, x, x);
      const auto result = ops::activation<ops::Silu>(graph, both);
      graph.release(both);
      return result;
    });
    double* gradient = graph.take(y.shape.size());
    std::fill_n(gradient, y.shape.size(), 1.0);
    graph.contribute(y, gradient);
    graph.backward();
  }
  const auto *again = find(profile, "recompute"), *concatenate = find(profile, "concatenate");
  REQUIRE((again != nullptr && concatenate != nullptr));
  CHECK((again->calls == 1 && again->kept == 192 && again->backward > 0));
  CHECK((concatenate->calls == 1 && concatenate->kept == 0 && concatenate->moved == 4 * 192 && concatenate->backward > 0));
}

TEST_CASE("Profile: the table has a line for every row, largest first, and the sum") {
  cpu::Device device({.threads = 1});
  Parameters<double> parameters;
  Profile profile;
  step(device, parameters, &profile);
  const std::string table = profile.table();
  for (const char* word : {"op, by step", "concatenate", "activation", "between ops", "step ", "100.0%", "over 1 steps"})
    CHECK_THAT(table, Catch::Matchers::Contains(word));
  CHECK(std::count(table.begin(), table.end(), '\n') == 6);
}
