// Makes one of the paper's synthetic data sets with the library's own solvers, sample by sample into a NetCDF-4 file.

#include "lacuna/physics/generate.hpp"

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>

#include "common/progress_bar.hpp"
#include "common/run_program.hpp"
#include "common/words.hpp"
#include "lacuna/physics/advection.hpp"
#include "lacuna/physics/shallow_water.hpp"
#include "lacuna/physics/turbulence.hpp"

namespace {

using namespace lacuna;

struct Options {
  std::string set, output, seed = "0";
  std::size_t samples = 0;
  int threads = 0, size = 0;
};

/// The paper's numbers of samples: 1152 turbulent flows; 5000 for training, 1000 for validation and 1000 for tests of the others.
constexpr std::size_t flows = 1152, waves = 7000;

template <physics::Generator G>
void run(const G& generator, const Options& o, std::size_t usual) {
  const std::size_t samples = o.samples > 0 ? o.samples : usual;
  const auto seed = whole_number_of<std::uint64_t>("--seed", o.seed, 0);
  auto file = physics::SampleFile::open_or_create(o.output, generator.description(), samples, seed);
  const std::size_t before = file.count_complete();
  if (before > 0) std::printf("%s: %zu of %zu samples are there\n", o.output.c_str(), before, samples);
  const auto start = std::chrono::steady_clock::now();
  const auto seconds = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
  common::ProgressBar progress;
  const auto show = [&](std::size_t made, std::size_t all) {
    progress.show(o.set.c_str(), static_cast<double>(made) / static_cast<double>(all));
  };
  const int threads = usable_threads(o.threads);
  const std::size_t made = physics::generate(generator, file, {.seed = seed, .threads = threads, .progress = show});
  file.close();
  progress.finish();
  const double spent = seconds();
  std::printf("%s: %zu samples made in %.1f s on %d threads", o.output.c_str(), made, spent, threads);
  if (made > 0) std::printf(" (%.3g s a sample and thread)", spent * threads / static_cast<double>(made));
  std::printf("\n");
}

void run(const Options& o) {
  if (o.set == "advection") {
    run(physics::Advection({.size = o.size > 0 ? o.size : 32}), o, waves);
  } else if (o.set == "shallow-water") {
    run(physics::ShallowWater({.size = o.size > 0 ? o.size : 32}), o, waves);
  } else {
    const int size = o.size > 0 ? o.size : 128;
    run(physics::Turbulence(o.set == "decaying" ? physics::decaying(size) : physics::kolmogorov(size)), o, flows);
  }
}

void declare(CLI::App& app, Options& o) {
  app.add_option("set", o.set, "the set to make")
      ->required()
      ->check(CLI::IsMember({"advection", "shallow-water", "kolmogorov", "decaying"}));
  app.add_option("-o,--output", o.output, "file to write, or to go on with after an interruption")
      ->required()
      ->type_name("OUT.nc");
  app.add_option("--samples", o.samples, "samples (0: 1152 flows, 7000 of the others)")
      ->check(CLI::Range(std::size_t{0}, physics::SampleFile::most_samples))
      ->capture_default_str();
  app.add_option("--seed", o.seed, "seed of all randomness")->capture_default_str();
  app.add_option("--threads", o.threads, "samples made at once (0: as many as processors)")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  app.add_option("--size", o.size, "grid points a side to solve on (0: 128 for flows, 32 for the others)")
      ->check(CLI::Range(0, 4096))
      ->capture_default_str();
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  return run_program(
      "generate", "Makes a synthetic data set: advection, shallow-water, kolmogorov or decaying (two-dimensional turbulence)",
      argc, argv, [&](CLI::App& app) { declare(app, options); }, [&](const CLI::App&) { run(options); });
}
