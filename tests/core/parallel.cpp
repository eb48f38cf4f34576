#include "lacuna/core/parallel.hpp"

#include <atomic>
#include <limits>
#include <stdexcept>
#include <vector>

#include "catch.hpp"

using namespace lacuna;

TEST_CASE("parallel_for calls every part once, whatever the number of threads") {
  for (const int threads : {0, 1, 2, 3, 8})
    for (const int parts : {0, 1, 2, 7, 33, 257}) {
      std::vector<int> calls(static_cast<std::size_t>(parts), 0);
      parallel_for(threads, parts, [&](int part) { ++calls[static_cast<std::size_t>(part)]; });
      CHECK(calls == std::vector<int>(static_cast<std::size_t>(parts), 1));
    }
}

TEST_CASE("parallel_for rethrows a failure after all threads are done, and works again afterwards") {
  for (const int threads : {1, 2, 4}) {
    CHECK_THROWS_AS(parallel_for(threads, 16,
                                 [](int part) {
                                   if (part == 5) throw std::runtime_error("part 5");
                                 }),
                    std::runtime_error);
    std::atomic<int> sum = 0;
    parallel_for(threads, 16, [&](int part) { sum += part; });
    CHECK(sum == 120);
  }
}

TEST_CASE("parallel_for may be nested") {
  std::vector<int> calls(12, 0);
  parallel_for(2, 3,
               [&](int outer) { parallel_for(2, 4, [&](int inner) { ++calls[static_cast<std::size_t>(4 * outer + inner)]; }); });
  CHECK(calls == std::vector<int>(12, 1));
}

TEST_CASE("share cuts a count into nearly equal consecutive runs") {
  for (const std::size_t count : {0u, 1u, 5u, 31u, 33u, 257u})
    for (const int parts : {1, 2, 3, 8}) {
      std::size_t next = 0, least = count, most = 0;
      for (int part = 0; part < parts; ++part) {
        const Range range = share(count, parts, part);
        CHECK(range.begin == next);
        next = range.end;
        least = std::min(least, range.end - range.begin);
        most = std::max(most, range.end - range.begin);
      }
      CHECK(next == count);
      CHECK(most - least <= 1);
    }
}

TEST_CASE("There is at least one hardware thread") { CHECK(hardware_threads() >= 1); }

#ifdef _OPENMP
TEST_CASE("While library threads live, OpenMP gives as many threads as it says, whatever the load") {
  omp_set_dynamic(1);
  const int before = omp_get_max_threads();
  {
    const LibraryThreads three(3);
    int present = 0;
#pragma omp parallel
    {
#pragma omp single
      present = omp_get_num_threads();
    }
    CHECK(omp_get_max_threads() == granted_threads(3));
    CHECK(present == omp_get_max_threads());
    CHECK(omp_get_dynamic() == 0);
  }
  CHECK(omp_get_dynamic() != 0);
  CHECK(omp_get_max_threads() == before);
  omp_set_dynamic(0);
}
#endif

TEST_CASE("A program uses no more threads than there are processors") {
  CHECK(usable_threads(1) == 1);
  CHECK(usable_threads(0) >= 1);
  CHECK(usable_threads(1 << 20) <= processors());
}

TEST_CASE("No more threads are granted than there may be, and never none") {
  CHECK(granted_threads(1) == 1);
  CHECK(granted_threads(0) == 1);
#ifdef _OPENMP
  CHECK(granted_threads(std::numeric_limits<int>::max()) == omp_get_thread_limit());
  const int levels = omp_get_max_active_levels();
  omp_set_max_active_levels(0);
  CHECK(granted_threads(4) == 1);
  {
    const LibraryThreads four(4);
    CHECK(omp_get_max_threads() == 1);
  }
  omp_set_max_active_levels(levels);
#endif
}
