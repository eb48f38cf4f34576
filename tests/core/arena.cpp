#include "lacuna/core/arena.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <vector>

#include "catch.hpp"

using lacuna::Arena;

namespace {

bool aligned(const void* p) { return reinterpret_cast<std::uintptr_t>(p) % Arena::alignment == 0; }

}  // namespace

TEST_CASE("Arena: blocks are aligned, apart and usable to their last byte") {
  Arena arena(1 << 20);
  std::vector<unsigned char*> blocks;
  for (std::size_t i = 0; i < 20; ++i) {
    blocks.push_back(arena.take_array<unsigned char>(i * 17));
    CHECK(aligned(blocks.back()));
    std::fill_n(blocks.back(), i * 17, static_cast<unsigned char>(i));
  }
  for (std::size_t i = 0; i < 20; ++i)
    for (std::size_t j = 0; j < i * 17; ++j) REQUIRE(blocks[i][j] == i);
}

TEST_CASE("Arena: one that only counts spans as much as one with memory does, and any size") {
  Arena counting(0), real(1 << 20);
  for (auto* arena : {&counting, &real}) {
    void* a = arena->take(1000);
    void* b = arena->take(64);
    CHECK(aligned(a));
    arena->give(a, 1000);
    CHECK(arena->take(1024) == a);
    arena->give(b, 64);
  }
  CHECK(counting.high_water() == real.high_water());
  CHECK(counting.live() == real.live());
  counting.release();
  CHECK(counting.high_water() == 0);
  constexpr std::size_t tebibyte = std::size_t{1} << 40;
  void* first = counting.take(tebibyte);
  CHECK(counting.take(tebibyte) != first);
  CHECK(counting.high_water() >= 2 * tebibyte);
}

TEST_CASE("Arena: more address space than the system grants is halved until it does") {
  constexpr std::size_t exbibyte = std::size_t{1} << 60;
  Arena arena(exbibyte);
  CHECK(arena.capacity() >= std::size_t{1} << 19);
  CHECK(arena.capacity() < exbibyte);
  arena.take_array<char>(100)[99] = 1;
  CHECK_THROWS_WITH(arena.take(exbibyte / 2), Catch::Matchers::Contains("the system granted (see ulimit -v)"));
}

TEST_CASE("Arena: nothing is a block of its own too") {
  Arena arena(1 << 20);
  CHECK(arena.take(0) != arena.take(0));
  CHECK(arena.live() == 2 * Arena::alignment);
}

TEST_CASE("Arena: a block given back serves the next request of its size only") {
  Arena arena(1 << 20);
  void* a = arena.take(1000);
  arena.give(a, 1000);
  CHECK(arena.take(100) != a);
  CHECK(arena.take(1024) == a);  // 1000 was rounded up to 1024
  CHECK(arena.take(1024) != a);
}

TEST_CASE("Arena: after a reset the same requests get the same addresses") {
  Arena arena(1 << 20);
  const auto step = [&] {
    std::vector<void*> at;
    for (const std::size_t bytes : {100u, 64u, 3000u}) at.push_back(arena.take(bytes));
    arena.give(at[1], 64);
    arena.give(at[0], 100);
    for (const std::size_t bytes : {128u, 50u, 70u, 64u}) at.push_back(arena.take(bytes));
    return at;
  };
  const auto first = step();
  const std::size_t high_water = arena.high_water();
  arena.reset();
  CHECK(arena.live() == 0);
  CHECK(step() == first);
  CHECK(arena.high_water() == high_water);
}

TEST_CASE("Arena: live counts what is out, high_water what was ever spanned") {
  Arena arena(1 << 20);
  void* a = arena.take(640);
  void* b = arena.take(64);
  CHECK(arena.live() == 704);
  const std::size_t high_water = arena.high_water();
  CHECK(high_water >= 704);
  arena.give(a, 640);
  arena.give(b, 64);
  CHECK(arena.live() == 0);
  CHECK(arena.high_water() == high_water);
  arena.take(640);
  CHECK(arena.high_water() == high_water);
}

TEST_CASE("Arena: more than the machine's memory can be reserved, and only what is touched is taken") {
#ifdef LACUNA_ADDRESS_SANITIZER
  constexpr std::size_t block = std::size_t{1} << 28;  // the sanitizer writes an eighth of a block when it is taken
#else
  constexpr std::size_t block = std::size_t{1} << 37;
#endif
  Arena arena(std::size_t{1} << 38);
  auto* far = arena.take_array<char>(block);
  far[0] = 1;
  far[block - 1] = 2;
  CHECK(arena.high_water() >= block);
}

TEST_CASE("Arena: a request beyond its end is an error that says how much is in use, and leaves it usable") {
  Arena arena(4 << 20);
  arena.take(3 << 20);
  CHECK_THROWS_AS(arena.take(2 << 20), lacuna::Error);
  try {
    arena.take(2 << 20);
  } catch (const lacuna::Error& error) {
    CHECK(std::string(error.what()) == "Arena: asked for 2 MiB with 3 MiB in use of 4 MiB; use a smaller batch, crop or network");
  }
  CHECK(arena.live() == std::size_t{3} << 20);
  CHECK_NOTHROW(arena.take(512 << 10));
}

TEST_CASE("Arena: release forgets every block and starts anew, with fresh pages") {
  Arena arena(1 << 20);
  auto* first = arena.take_array<unsigned char>(5000);
  std::fill_n(first, 5000, static_cast<unsigned char>(7));
  arena.release();
  CHECK((arena.live() == 0 && arena.high_water() == 0));
  auto* again = arena.take_array<unsigned char>(5000);
  CHECK(again == first);
  CHECK(again[0] == 0);  // the system's pages come back zeroed
  CHECK(again[4999] == 0);
}

TEST_CASE("Arena: memory that is someone else's is dealt out, and what it holds left alone") {
  alignas(64) static unsigned char memory[1024];
  std::fill(std::begin(memory), std::end(memory), static_cast<unsigned char>(7));
  {
    Arena arena(memory, sizeof memory);
    CHECK(arena.capacity() == 1024);
    auto* first = static_cast<unsigned char*>(arena.take(500));
    CHECK(first == memory);
    arena.give(first, 500);
    CHECK(first[499] == 7);  // a device may still use what was given back
    CHECK(arena.take(512) == first);
    CHECK_THROWS_WITH(arena.take(1024), Catch::Matchers::Contains("use a smaller batch"));
    arena.release();
    CHECK(arena.high_water() == 0);
  }
  CHECK(std::all_of(std::begin(memory), std::end(memory), [](unsigned char c) { return c == 7; }));
}
