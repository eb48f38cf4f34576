// What the rows of the table of withheld errors cost, on fields with the sizes and gaps of the storm and of the winds.

#include <benchmark/benchmark.h>

#include <cmath>
#include <numbers>
#include <string>

#include "lacuna/baseline/choice.hpp"
#include "lacuna/core/philox.hpp"

using namespace lacuna;

namespace {

/// Drifting waves and noise, observed in a fifth of the pixels, one mask per three frames; a tenth of what is observed withheld.
struct Case {
  data::Fields available;
  std::vector<float> truth;
  std::vector<std::uint8_t> withheld;

  Case(int frames, int height, int width, int variables, bool globe) {
    auto& f = available;
    f.grid.geographic = true;
    f.grid.periodic_x = globe;
    for (int y = 0; y < height; ++y) f.grid.y.push_back(globe ? -90 + 2.5 * y : 20 + y);
    for (int x = 0; x < width; ++x) f.grid.x.push_back(globe ? 2.5 * x : -110 + 1.5 * x);
    for (int v = 0; v < variables; ++v) f.names.emplace_back(1, static_cast<char>('a' + v));
    const auto key = philox_key(1, Purpose::gaps);
    for (int t = 0; t < frames; ++t) {
      f.time.push_back(t);
      for (int i = 0; i < height * width; ++i) {
        const auto draw = philox(key, static_cast<std::uint64_t>(t / 3), static_cast<std::uint64_t>(i));
        const double a = 2 * std::numbers::pi * (i % width) / width, b = std::numbers::pi * (i / width) / height;
        for (int v = 0; v < variables; ++v) {
          const double x = std::sin(3 * a + b - 0.3 * t + v) + 0.6 * std::cos(7 * a - 4 * b + 0.2 * t) + std::sin(2 * b);
          truth.push_back(static_cast<float>(x) + 0.1f * normals(philox(key, 1u << 30 | static_cast<unsigned>(t * variables + v),
                                                                        static_cast<std::uint64_t>(i)))[0]);
          const bool observed = uniform(draw[0]) < 0.2f, aside = observed && uniform(draw[1]) < 0.1f;
          withheld.push_back(aside ? 1 : 0);
          f.values.push_back(observed && !aside ? truth.back() : data::not_observed);
        }
      }
    }
  }
  validation::ValidationData evidence() const { return {available, truth, withheld, {}}; }
};

const Case& chosen(bool winds) {
  static const Case storm(60, 33, 36, 6, false), globe(132, 72, 144, 2, true);
  return winds ? globe : storm;
}

/// A row that fills frames of up to sixteen windows.
template <class Fill>
void rows(benchmark::State& state, const Fill& fill) {
  const auto evidence = chosen(state.range(0) == 1).evidence();
  const baseline::FillScores scores(evidence, validation::windows_to_score(evidence), 1);
  for (auto _ : state) benchmark::DoNotOptimize(scores.of_frames(fill));
}

void dineof(benchmark::State& state) {
  const auto evidence = chosen(state.range(0) == 1).evidence();
  const auto mean = baseline::steady_climatology(evidence.available, {}, {0, evidence.available.frames()}, {});
  int modes = 0;
  for (auto _ : state) modes = baseline::choose_dineof(evidence, mean).modes;
  state.counters["modes"] = modes;
}

void all_rows(benchmark::State& state) {
  const auto evidence = chosen(state.range(0) == 1).evidence();
  for (auto _ : state)
    benchmark::DoNotOptimize(baseline::choose_background(evidence, validation::windows_to_score(evidence)).errors);
}

}  // namespace

BENCHMARK_CAPTURE(rows, temporal, baseline::temporal_consistency)
    ->ArgName("winds")
    ->Arg(0)
    ->Arg(1)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(rows, nearest, baseline::fill_planes<baseline::NearestFill>)
    ->ArgName("winds")
    ->Arg(0)
    ->Arg(1)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(rows, linear, baseline::fill_planes<baseline::LinearFill>)
    ->ArgName("winds")
    ->Arg(0)
    ->Arg(1)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(rows, laplace, baseline::fill_planes<baseline::LaplaceFill>)
    ->ArgName("winds")
    ->Arg(0)
    ->Arg(1)
    ->Unit(benchmark::kMillisecond);
BENCHMARK(dineof)->ArgName("winds")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond)->Iterations(1);
BENCHMARK(all_rows)->ArgName("winds")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond)->Iterations(1);
BENCHMARK_MAIN();
