// Fused kernels against a copy of the same memory in the same process, and convolution layers in GFLOP/s.
// Each row's buffers rotate through a pool larger than the caches where "cold" says so; "of_copy" is the row's bandwidth over
// that of std::memcpy on pools of the same size, measured just before.

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstring>
#include <map>
#include <numeric>
#include <vector>

#include "lacuna/core/philox.hpp"
#include "lacuna/mask/partition.hpp"
#include "lacuna/mask/pixels.hpp"
#include "lacuna/ops/convolution.hpp"
#include "lacuna/ops/masked_loss.hpp"
#include "lacuna/ops/rms_norm_silu.hpp"
#include "lacuna/sampler/ensemble.hpp"
#include "lacuna/sampler/update.hpp"
#include "lacuna/train/optimizer.hpp"

namespace {

using namespace lacuna;

std::vector<float> noise(std::size_t size) {
  const auto key = philox_key(1, Purpose::noise);
  std::vector<float> x(size);
  for (std::size_t i = 0; i < size; ++i) x[i] = normals(philox(key, 0, i / 4))[i % 4];
  return x;
}

double seconds_now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

/// Bytes a second (read + written) of a copy that touches `bytes` in all; the median of 15.
double copy_bandwidth(std::size_t bytes) {
  static std::map<std::size_t, double> known;
  if (known.contains(bytes)) return known[bytes];
  const std::size_t half = bytes / 2;
  std::vector<char> from(half, 1), to(half, 2);
  const int repeats = static_cast<int>(std::max<std::size_t>(1, (std::size_t{64} << 20) / half));
  std::vector<double> rates;
  for (int i = 0; i < 15; ++i) {
    const double start = seconds_now();
    for (int r = 0; r < repeats; ++r) {
      std::memcpy(to.data(), from.data(), half);
      benchmark::ClobberMemory();
    }
    rates.push_back(2.0 * static_cast<double>(half) * repeats / (seconds_now() - start));
  }
  std::nth_element(rates.begin(), rates.begin() + 7, rates.end());
  return known[bytes] = rates[7];
}

/// Times an iteration that must move at least `bytes`, which is also the size of the buffers that it goes over.
template <class Work>
void measure(benchmark::State& state, std::size_t bytes, const Work& work) {
  const double copy = copy_bandwidth(bytes), start = seconds_now();
  for (auto _ : state) {
    work();
    benchmark::ClobberMemory();
  }
  const double rate = static_cast<double>(bytes) * static_cast<double>(state.iterations()) / (seconds_now() - start);
  state.counters["bytes"] = static_cast<double>(bytes);
  state.counters["GB/s"] = rate * 1e-9;
  state.counters["of_copy"] = rate / copy;
}

void masked_loss_and_gradient(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  const auto estimate = noise(size), target = noise(size);
  std::vector<float> gradient(size);
  std::vector<std::uint8_t> query(size);
  for (std::size_t i = 0; i < size; ++i) query[i] = i % 3 == 0 ? 1 : 0;
  measure(state, size * 13, [&] {
    benchmark::DoNotOptimize(ops::masked_loss_run(estimate.data(), target.data(), query.data(), 0.5f, gradient.data(), size));
  });
}

void adam_and_average(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  Parameters<float> parameters;
  parameters.add("w", {static_cast<int>(size)});
  parameters.values() = parameters.gradients() = noise(size);
  train::Optimizer<float> optimizer(parameters, {});
  // The gradient is read twice; values, moments and average are read and written.
  measure(state, size * 40, [&] { benchmark::DoNotOptimize(optimizer.step(parameters, 1e-4, 1)); });
}

void ensemble_member(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  const auto background = noise(size), anomaly = noise(size), weight = noise(size);
  sampler::RunningMoments moments(size);
  // A member's three parts are read, mean and squares are read and written.
  measure(state, size * 28, [&] { moments.add({background.data(), anomaly.data(), weight.data()}); });
}

void sampler_update(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  const auto estimate = noise(size), known = noise(size);
  auto x = noise(size);
  std::vector<std::uint8_t> observed(size);
  for (std::size_t i = 0; i < size; ++i) observed[i] = i % 3 == 0 ? 1 : 0;
  const sampler::UpdateArrays<float> arrays{x.data(),     estimate.data(), estimate.data(), x.data(),
                                            known.data(), observed.data(), x.data()};
  // A first-order step: state, estimate, known values and mask are read, the state is written.
  measure(state, size * 17,
          [&] { benchmark::DoNotOptimize(sampler::update<float>({.state = 0.9f, .estimate = 0.1f}, arrays, size)); });
}

void context_and_query(benchmark::State& state) {
  const auto side = static_cast<int>(state.range(0));
  const std::vector<std::uint8_t> observed(static_cast<std::size_t>(side) * static_cast<std::size_t>(side), 1);
  const mask::Window window = mask::window_of({1, side, side, 1, false, observed}, 0, 1);
  const auto policy = mask::Pixels::random_ratio();
  mask::Partition partition;
  std::uint64_t sample = 0;
  // The mask is read, context and query are written; a random number a cell is what it takes.
  measure(state, observed.size() * 3, [&] {
    mask::partition(policy, philox_key(1, Purpose::context), ++sample, window, {0, 0, side, side}, partition);
  });
}

struct NormBuffers {
  NormBuffers(std::size_t pixels, int channels)
      : x(noise(pixels * static_cast<std::size_t>(channels))),
        other(x),
        y(x.size()),
        gain(static_cast<std::size_t>(channels), 1.0f),
        scale_shift(static_cast<std::size_t>(2 * channels), 0.1f),
        sums(static_cast<std::size_t>(2 * channels)),
        row{x.data(), gain.data(), scale_shift.data(), nullptr, y.data(), nullptr, channels, pixels} {}
  std::vector<float> x, other, y, gain, scale_shift, sums;
  ops::NormRow<float> row;
};

void norm_forward(benchmark::State& state) {
  NormBuffers b(static_cast<std::size_t>(state.range(0)), static_cast<int>(state.range(1)));
  measure(state, 2 * sizeof(float) * b.x.size(), [&] { ops::norm_forward(b.row); });
}

void norm_backward(benchmark::State& state) {
  NormBuffers b(static_cast<std::size_t>(state.range(0)), static_cast<int>(state.range(1)));
  b.row.other = b.other.data();
  b.row.sums = b.sums.data();
  measure(state, 3 * sizeof(float) * b.x.size(), [&] { ops::norm_backward(b.row); });
}

#ifdef LACUNA_HAS_ONEDNN
enum Pass { forward, data, weights };

/// batch, size, channels in, channels out, kernel, stride, pass; buffers rotate through 64 MiB so that none is warm.
void convolution(benchmark::State& state) {
  const auto at = [&](int i) { return static_cast<int>(state.range(static_cast<std::size_t>(i))); };
  const int kernel = at(4), stride = at(5), padding = (kernel - stride + 1) / 2;
  const Shape x{.batch = at(0), .height = at(1), .width = at(1), .channels = at(2)};
  const ops::ConvolutionGeometry g{x, ops::convolution_output(x, at(3), kernel, stride, padding, false), kernel, stride, padding};
  cpu::Device device({.threads = 1});
  auto& library = device.library<ops::OneDnn>();
  const std::size_t copies = std::max<std::size_t>(1, (std::size_t{64} << 20) / (4 * (x.size() + g.output.size())));
  std::vector<std::vector<float>> inputs(copies, noise(x.size())), outputs(copies, noise(g.output.size()));
  std::vector<float> weight = noise(static_cast<std::size_t>(at(2) * at(3) * kernel * kernel)), grad_weight(weight.size()),
                     bias(static_cast<std::size_t>(at(3))), grad_bias(bias.size());
  std::size_t turn = 0;
  for (auto _ : state) {
    float *in = inputs[turn].data(), *out = outputs[turn].data();
    turn = (turn + 1) % copies;
    if (at(6) == forward) library.forward(g, in, weight.data(), bias.data(), out);
    if (at(6) == data) library.backward_data(g, out, weight.data(), in);
    if (at(6) == weights) library.backward_weights(g, in, out, grad_weight.data(), grad_bias.data());
    device.reset();
  }
  const double flop = 2.0 * static_cast<double>(g.output.size()) * kernel * kernel * at(2);
  state.counters["GFLOP/s"] =
      benchmark::Counter(flop * 1e-9 * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

void network_layers(benchmark::internal::Benchmark* b) {
  b->ArgNames({"batch", "size", "in", "out", "kernel", "stride", "pass"});
  for (const int pass : {forward, data, weights}) {
    b->Args({16, 32, 32, 32, 3, 1, pass});
    b->Args({16, 32, 64, 32, 3, 1, pass});
    b->Args({16, 16, 64, 64, 3, 1, pass});
    b->Args({16, 8, 128, 64, 3, 1, pass});
    b->Args({16, 32, 32, 32, 4, 2, pass});
    b->Args({16, 32, 64, 32, 1, 1, pass});
    if (pass != data) b->Args({16, 32, 2, 32, 5, 1, pass});
  }
}
BENCHMARK(convolution)->Apply(network_layers)->UseRealTime();
#endif

BENCHMARK(masked_loss_and_gradient)->RangeMultiplier(16)->Range(1 << 12, 1 << 24)->UseRealTime();
BENCHMARK(adam_and_average)->RangeMultiplier(16)->Range(1 << 12, 1 << 24)->UseRealTime();
BENCHMARK(ensemble_member)->RangeMultiplier(16)->Range(1 << 12, 1 << 24)->UseRealTime();
BENCHMARK(sampler_update)->RangeMultiplier(16)->Range(1 << 12, 1 << 24)->UseRealTime();
BENCHMARK(context_and_query)->RangeMultiplier(4)->Range(64, 1024)->UseRealTime();
BENCHMARK(norm_forward)->ArgNames({"pixels", "channels"})->ArgsProduct({{256, 4096, 65536, 524288}, {32, 64}})->UseRealTime();
BENCHMARK(norm_backward)->ArgNames({"pixels", "channels"})->ArgsProduct({{256, 4096, 65536, 524288}, {32, 64}})->UseRealTime();

}  // namespace

BENCHMARK_MAIN();
