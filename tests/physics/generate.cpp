#include "lacuna/physics/generate.hpp"

#include <mutex>
#include <set>

#include "../data/scratch.hpp"
#include "catch.hpp"
#include "lacuna/physics/advection.hpp"
#include "lacuna/physics/shallow_water.hpp"
#include "lacuna/physics/turbulence.hpp"

using namespace lacuna;
using namespace lacuna::physics;

namespace {

template <Generator G>
std::string made(const Scratch& scratch, const std::string& name, const G& generator, int threads) {
  auto file = SampleFile::open_or_create(scratch / name, generator.description(), 7, 5);
  CHECK(generate(generator, file, {.seed = 5, .threads = threads}) == 7);
  CHECK(file.count_complete() == 7);
  file.close();
  return content(scratch / name);
}

TurbulenceSettings small_flow() {
  TurbulenceSettings s = kolmogorov(32);
  s.kept = 8;
  s.warm_up = 0.05;
  s.frames = 2;
  return s;
}

/// Fails on one sample and remembers which were asked for.
struct Failing {
  std::size_t bad;
  std::set<std::uint64_t>* asked;
  std::mutex* guard;

  Description description() const {
    Description d{.name = "failing"};
    d.variables = {{"a", "1", "a"}};
    d.time = d.y = d.x = {0};
    return d;
  }
  Sample make(std::uint64_t, std::uint64_t index) const {
    const std::scoped_lock lock(*guard);
    asked->insert(index);
    if (index == bad) throw DataError("sample 2 cannot be made");
    return {.values = {static_cast<double>(index)}};
  }
};

}  // namespace

TEST_CASE("Files are the same bit for bit whatever the threads") {
  const Scratch scratch;
  const Advection advection({.size = 12, .frames = 3});
  CHECK(made(scratch, "a1.nc", advection, 1) == made(scratch, "a3.nc", advection, 3));
  const ShallowWater water({.size = 8, .frames = 3});
  CHECK(made(scratch, "w1.nc", water, 1) == made(scratch, "w3.nc", water, 3));
  const Turbulence flow(small_flow());
  CHECK(made(scratch, "f1.nc", flow, 1) == made(scratch, "f3.nc", flow, 3));
}

TEST_CASE("Only what is missing is made; a run that failed goes on, to the same file as an unbroken one") {
  const Scratch scratch;
  std::mutex guard;
  std::set<std::uint64_t> asked;
  Failing generator{2, &asked, &guard};
  {
    auto file = SampleFile::open_or_create(scratch / "s.nc", generator.description(), 6, 0);
    CHECK_THROWS_WITH(generate(generator, file, {}), "sample 2 cannot be made");
    CHECK(file.count_complete() == 2);
    CHECK(asked == std::set<std::uint64_t>{0, 1, 2});  // nothing is made after a failure
  }
  asked.clear();
  generator.bad = 99;
  {
    auto file = SampleFile::open_or_create(scratch / "s.nc", generator.description(), 6, 0);
    std::vector<std::size_t> told;
    CHECK(generate(generator, file, {.progress = [&](std::size_t done, std::size_t all) {
                     told.push_back(done);
                     CHECK(all == 4);
                   }}) == 4);
    CHECK(told == std::vector<std::size_t>{1, 2, 3, 4});
    CHECK(asked == std::set<std::uint64_t>{2, 3, 4, 5});
    CHECK(generate(generator, file, {}) == 0);
  }
  auto file = SampleFile::open_or_create(scratch / "t.nc", generator.description(), 6, 0);
  generate(generator, file, {.threads = 2});
  file.close();
  CHECK(content(scratch / "s.nc") == content(scratch / "t.nc"));
}
