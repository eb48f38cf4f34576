#include "lacuna/model/resident_memory.hpp"

#include <vector>

#include "catch.hpp"

TEST_CASE("memory that is touched is counted") {
  const std::size_t before = lacuna::model::resident_memory();
  std::vector<char> block(std::size_t{64} << 20, 1);
  CHECK(block[block.size() / 2] == 1);
  const std::size_t after = lacuna::model::resident_memory();
  CHECK(before > 0);
  CHECK(after >= before + (std::size_t{60} << 20));
  CHECK(lacuna::model::peak_memory() >= after - (std::size_t{1} << 20));
}
