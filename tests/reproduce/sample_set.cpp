#include "reproduce/sample_set.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "../data/scratch.hpp"
#include "catch.hpp"
#include "reproduce/gaps.hpp"

using namespace lacuna;
using namespace lacuna::experiment;

namespace {

SetSettings small(int train, int test) {
  SetSettings s;
  s.train = train;
  s.test = test;
  s.solver = 16;
  s.frames = 5;
  s.window = 5;
  return s;
}

}  // namespace

TEST_CASE("samples are made once, gone on with, and made anew where they are another set's") {
  const Scratch folder;
  const std::filesystem::path samples = folder / "samples";
  const SetSettings s = small(2, 1);
  CHECK(make_samples("advection", s, samples, 1).count_complete() == 3);
  const auto path = samples / "advection-16-3.nc";
  const physics::Sample mark{.values = std::vector<double>(50 * 256, 0.25), .parameters = {1, 2}};
  physics::SampleFile::open_or_create(path, physics::Advection({.size = 16}).description(), 3, 0).write(1, mark);
  CHECK(make_samples("advection", s, samples, 1).read(1).values == mark.values);
  make_samples("shallow-water", s, samples, 1);
  std::filesystem::rename(samples / "shallow-water-16-3.nc", path);
  const auto anew = make_samples("advection", s, samples, 1);
  CHECK(anew.variables() == std::vector<std::string>{"u"});
  CHECK(anew.count_complete() == 3);
  CHECK(anew.read(1).values != mark.values);
  CHECK_THROWS_AS(make_samples("burgers", s, samples, 1), OptionError);
}

TEST_CASE("samples whose file is cut short, empty or something else are made anew, and what it was is kept") {
  const Scratch folder;
  const std::filesystem::path samples = folder / "samples";
  const SetSettings s = small(2, 1);
  const auto whole = make_samples("advection", s, samples, 1).read(2).values;
  const auto path = samples / "advection-16-3.nc";
  const std::string bytes = content(path);
  int found = 0;
  for (const std::string& words :
       {bytes.substr(0, bytes.size() / 2), bytes.substr(0, 100), std::string(), std::string("notes")}) {
    INFO(words.size() << " bytes");
    put_content(path, words);
    CHECK(make_samples("advection", s, samples, 1).read(2).values == whole);
    CHECK(content(path.string() + (++found == 1 ? ".damaged" : text(".damaged-", found))) == words);
  }
}

TEST_CASE("samples that another program is writing are left to it") {
  const Scratch folder;
  const std::filesystem::path samples = folder / "samples";
  const SetSettings s = small(2, 1);
  std::filesystem::create_directories(samples);
  auto other =
      physics::SampleFile::open_or_create(samples / "advection-16-3.nc", physics::Advection({.size = 16}).description(), 3, 0);
  const int lock = ::open((samples / "advection-16-3.nc").c_str(), O_RDONLY | O_CLOEXEC);
  CHECK(data::netcdf::being_written(samples / "advection-16-3.nc"));
  other.close();
  CHECK_FALSE(data::netcdf::being_written(samples / "advection-16-3.nc"));
  REQUIRE(::flock(lock, LOCK_EX | LOCK_NB) == 0);  // as HDF5 does it
  CHECK_THROWS_WITH(make_samples("advection", s, samples, 1), Catch::Matchers::EndsWith("or another program is writing it)"));
  CHECK(std::distance(std::filesystem::directory_iterator(samples), {}) == 1);
  ::close(lock);
  CHECK(make_samples("advection", s, samples, 1).count_complete() == 3);
}

TEST_CASE("complete samples are read by two at once") {
  const Scratch folder;
  const SetSettings s = small(2, 1);
  make_samples("advection", s, folder / "samples", 1);
  const auto reader = made_samples("advection", s, folder / "samples", 1);
  CHECK(made_samples("advection", s, folder / "samples", 1)(0, 3).truth.values == reader(0, 3).truth.values);
}

TEST_CASE("samples follow one another as frames, and coarse ones are means of cells") {
  const Scratch folder;
  SetSettings s = small(2, 2);
  const auto file = make_samples("shallow-water", s, folder / "samples", 1);
  const SampleSet fine = load_samples(file, 1, 2, s);
  REQUIRE(fine.truth.frames() == 10);
  REQUIRE(fine.samples() == 2);
  data::require_consistent(fine.truth);
  const auto second = file.read(2);
  CHECK(fine.parameters[1] == second.parameters);
  const std::size_t frames = file.frames();
  CHECK(fine.truth.at(5 + 3, 4, 7, 2) == static_cast<float>(second.values[((2 * frames + 3) * 16 + 4) * 16 + 7]));
  s.coarsen = 2;
  const SampleSet coarse = load_samples(file, 1, 2, s);
  CHECK(coarse.truth.grid.y == std::vector<double>{0, 1, 2, 3, 4, 5, 6, 7});
  CHECK(coarse.truth.grid.x == coarse.truth.grid.y);
  double sum = 0;
  for (int y : {6, 7})
    for (int x : {2, 3}) sum += static_cast<double>(fine.truth.at(8, y, x, 0));
  CHECK(static_cast<double>(coarse.truth.at(8, 3, 1, 0)) == Approx(sum / 4).epsilon(1e-5));
  s.frames = 500;
  CHECK_THROWS_AS(load_samples(file, 1, 2, s), OptionError);
}

TEST_CASE("the truth has no error in any set's measure, a wrong fill has the one that can be computed by hand") {
  const Scratch folder;
  const SetSettings s = small(1, 2);
  for (const std::string set : {"advection", "shallow-water"}) {
    const auto file = make_samples(set, s, folder / "samples", 1);
    const SampleSet samples = load_samples(file, 1, 2, s);
    const auto masks = share_masks(samples, Gaps("p30").draw(samples.truth.grid, 2, 1));
    const Errors none = errors_of(set, samples, masks, samples.truth.values);
    CHECK(none.missing == 0);
    CHECK(none.table < (set == "advection" ? 1e-10 : 1e-8));
  }
  const auto file = make_samples("advection", s, folder / "samples", 1);
  const SampleSet samples = load_samples(file, 1, 2, s);
  const auto masks = share_masks(samples, Gaps("p30").draw(samples.truth.grid, 2, 1));
  auto shifted = samples.truth.values;
  for (float& x : shifted) x += 0.5f;
  // A constant is advected to itself.
  CHECK(errors_of("advection", samples, masks, shifted).table == Approx(10 * 0.25).epsilon(1e-4));
  CHECK(errors_of("kolmogorov", samples, masks, shifted).table == Approx(1e3 * 0.25).epsilon(1e-4));
  CHECK(errors_of("kolmogorov", samples, masks, shifted).missing == Approx(0.25).epsilon(1e-4));
}

TEST_CASE("frames and variables of a sample share its mask") {
  const Scratch folder;
  const SetSettings s = small(1, 2);
  const SampleSet samples = load_samples(make_samples("shallow-water", s, folder / "samples", 1), 1, 2, s);
  std::vector<std::uint8_t> masks(2 * 256, 0);
  masks[256 + 17] = 1;
  const auto shared = share_masks(samples, masks);
  for (int t = 0; t < 10; ++t)
    for (int v = 0; v < 3; ++v) {
      CHECK(shared[samples.truth.index(t, 1, 1, v)] == (t >= 5 ? 1 : 0));
      CHECK(shared[samples.truth.index(t, 1, 2, v)] == 0);
    }
}
