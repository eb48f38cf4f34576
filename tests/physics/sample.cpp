#include "lacuna/physics/sample.hpp"

#include "catch.hpp"

using namespace lacuna::physics;

TEST_CASE("A description counts its values") {
  Description d;
  d.variables.resize(3);
  d.time.resize(5);
  d.y.resize(2);
  d.x.resize(7);
  CHECK(d.frame_cells() == 14);
  CHECK(d.values() == 210);
}

TEST_CASE("A generator offers a description and samples") {
  struct Complete {
    Description description() const { return {}; }
    Sample make(std::uint64_t, std::uint64_t) const { return {}; }
  };
  struct Silent {
    Sample make(std::uint64_t, std::uint64_t) const { return {}; }
  };
  CHECK(Generator<Complete>);
  CHECK_FALSE(Generator<Silent>);
}
