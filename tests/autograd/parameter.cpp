#include "lacuna/autograd/parameter.hpp"

#include <cmath>

#include "catch.hpp"
#include "support/probe.hpp"

using lacuna::Parameters;

TEST_CASE("Parameters: lie one after the other in one buffer, with names and extents") {
  Parameters<float> p;
  const auto weight = p.add("a.weight", {2, 3, 3, 4}), gain = p.add("a.gain", {5}, 1.5f);
  CHECK((weight.offset == 0 && weight.size == 72));
  CHECK((gain.offset == 72 && gain.size == 5));
  CHECK(p.size() == 77);
  CHECK(p.gradients().size() == 77);
  REQUIRE(p.entries().size() == 2);
  CHECK(p.entries()[1].name == "a.gain");
  CHECK(p.entries()[0].dims == std::vector<int>{2, 3, 3, 4});
  CHECK((p.value(weight)[71] == 0.0f && p.value(gain)[0] == 1.5f && p.value(gain)[4] == 1.5f));
  CHECK(p.gradient(gain) == p.gradients().data() + 72);
}

TEST_CASE("Parameters: a name is taken once") {
  Parameters<float> p;
  p.add("w", {1});
  CHECK(lacuna::test::message_of<lacuna::Error>([&] { p.add("w", {2}); }) == "Parameters: two parameters are named w");
  CHECK(p.size() == 1);
}

TEST_CASE("Parameters: zero_gradients forgets what has accumulated and leaves the values") {
  Parameters<double> p;
  const auto w = p.add("w", {3}, 2.0);
  p.gradient(w)[1] = 7;
  p.zero_gradients();
  CHECK(p.gradients() == std::vector<double>(3, 0.0));
  CHECK(p.values() == std::vector<double>(3, 2.0));
}

TEST_CASE("Parameters: a uniform start is within its bound, spread, and the same for the same seed and place") {
  const auto start = [](std::uint64_t seed) {
    Parameters<double> p;
    p.add("before", {10}, 3.0);
    p.fill_uniform(p.add("w", {10000}), 0.25, seed);
    return p.values();
  };
  const auto a = start(1);
  double sum = 0, squares = 0;
  for (std::size_t i = 10; i < a.size(); ++i) {
    REQUIRE(std::abs(a[i]) <= 0.25);
    sum += a[i];
    squares += a[i] * a[i];
  }
  CHECK(std::abs(sum / 1e4) < 0.006);  // four standard errors
  CHECK(squares / 1e4 == Approx(0.25 * 0.25 / 3).epsilon(0.04));
  CHECK((a[0] == 3.0 && a[9] == 3.0));
  CHECK(start(1) == a);
  CHECK(start(2) != a);
}
