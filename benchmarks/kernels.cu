// Fused kernels on a GPU: microseconds a launch, GB/s, and the share of the bandwidth of a copy of as many bytes in the same run.
// Without a GPU: what a launch must move, and the registers and shared memory that a block may take; never a time.

#include <cstdio>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "kernels/adam.cuh"
#include "kernels/assemble.cuh"
#include "kernels/ensemble.cuh"
#include "kernels/masked_loss.cuh"
#include "kernels/rms_norm_silu.cuh"
#include "lacuna/cuda/device.hpp"

namespace {

using namespace lacuna;

/// A launch over arrays of the device, which exist when `prepare` has been called.
struct Row {
  std::string name;
  std::vector<std::string> kernels;  ///< as tests/kernels/nvcc/budget.json names them
  std::size_t bytes;                 ///< least that it must move
  std::function<std::function<void(cudaStream_t)>(cuda::Device&)> prepare;
};

/// Zeroed memory of the device's arena.
template <class T>
T* zeros(cuda::Device& device, std::size_t count) {
  T* array = device.arena().template take_array<T>(count);
  cuda::check(cudaMemsetAsync(array, 0, count * sizeof(T), device.stream()), "clear an array");
  return array;
}

Row masked_loss(std::size_t n) {
  return {
      text("masked loss and gradient, ", n), {"count_queried_kernel", "masked_loss_kernel"}, 14 * n, [n](cuda::Device& device) {
        const unsigned blocks = kernels::blocks_for(n);
        auto *estimate = zeros<float>(device, n), *target = zeros<float>(device, n), *gradient = zeros<float>(device, n),
             *sums = zeros<float>(device, blocks), *result = zeros<float>(device, 2);
        auto* query = zeros<std::uint8_t>(device, n);
        auto* counts = zeros<unsigned>(device, blocks);
        return [=](cudaStream_t stream) {
          kernels::count_queried(stream, query, n, counts);
          kernels::masked_loss(stream, estimate, target, query, n, {sums, counts, blocks}, gradient, result);
        };
      }};
}

Row adam(std::size_t n) {
  return {text("Adam, clipping and average, ", n), {"square_norm_kernel", "adam_kernel"}, 40 * n, [n](cuda::Device& device) {
            float* arrays[5];
            for (auto& array : arrays) array = zeros<float>(device, n);
            auto* coefficients = zeros<train::AdamStep<float>>(device, 1);
            auto *sums = zeros<float>(device, kernels::blocks_for(n)), *norm = zeros<float>(device, 1);
            return [=](cudaStream_t stream) {
              kernels::adam(stream, {arrays[0], arrays[1], arrays[2], arrays[3], arrays[4]}, n, coefficients, 1.0f, sums, norm);
            };
          }};
}

/// Mean and deviation of members (one pass, of single fields with a background).
Row ensemble(int side) {
  constexpr int members = 10;
  const std::size_t n = static_cast<std::size_t>(side) * static_cast<std::size_t>(side);
  // In: answers and backgrounds of the members, weights and values. Out: mean and deviation.
  return {text("mean and deviation of 10 members, ", side, " x ", side),
          {"ensemble_kernel"},
          (8 * members + 8 + 8) * n,
          [=](cuda::Device& device) {
            auto* samples = zeros<train::SampleView>(device, members);
            auto *values = zeros<float>(device, n), *backgrounds = zeros<float>(device, members * n),
                 *scale = zeros<float>(device, 1);
            std::vector<train::SampleView> host;
            for (std::size_t m = 0; m < members; ++m)
              host.push_back({.patch = {0, 0, side, side},
                              .grid_width = side,
                              .values = values,
                              .context = nullptr,
                              .query = nullptr,
                              .background = backgrounds + m * n,
                              .climate = nullptr,
                              .place = nullptr,
                              .season = nullptr,
                              .scale = scale});
            cuda::copy_now(device.stream(), samples, static_cast<const train::SampleView*>(host.data()), host.size(),
                           cudaMemcpyHostToDevice);
            const sampler::EnsemblePass pass{.shape = {{.frames = 1, .variables = 1, .background = true}, members, side, side},
                                             .answers = {samples, zeros<float>(device, members * n)},
                                             .core = {0, 0, side, side},
                                             .grid_height = side,
                                             .grid_width = side,
                                             .last = true,
                                             .weights = zeros<float>(device, n),
                                             .mean = zeros<float>(device, n),
                                             .deviation = zeros<float>(device, n)};
            return [=](cudaStream_t stream) { kernels::ensemble(stream, pass); };
          }};
}

Row norm(std::size_t pixels, bool backward) {
  constexpr int channels = 64;
  const std::size_t n = pixels * channels;
  return {text("RMSNorm, scale, shift, SiLU", backward ? ", gradient" : "", ", ", pixels, " x ", channels),
          {backward ? "norm_backward_kernel<256, lacuna::kernels::NormLayout<float"
                    : "norm_forward_kernel<256, lacuna::kernels::NormLayout<float"},
          (backward ? 12 : 8) * n,
          [=](cuda::Device& device) {
            auto *x = zeros<float>(device, n), *other = zeros<float>(device, n), *result = zeros<float>(device, n),
                 *gain = zeros<float>(device, channels), *scale_shift = zeros<float>(device, 2 * channels),
                 *sums = zeros<float>(device, kernels::norm_runs<float>(pixels, channels) * 2 * channels);
            const kernels::Norm<float> operands{.x = x,
                                                .gain = gain,
                                                .scale_shift = scale_shift,
                                                .other = backward ? other : nullptr,
                                                .result = result,
                                                .sums = backward ? sums : nullptr,
                                                .pixels = pixels,
                                                .batch = 1,
                                                .channels = channels};
            return [=](cudaStream_t stream) {
              if (backward)
                kernels::norm_backward<float>(stream, operands);
              else
                kernels::norm_forward<float>(stream, operands);
            };
          }};
}

/// Noise, context and query, target: a batch of single fields of which all is in the context and in the query.
Row assemble(int side) {
  constexpr int batch = 16;
  constexpr train::InputLayout layout{.frames = 1, .variables = 1};
  const std::size_t cells = static_cast<std::size_t>(side) * static_cast<std::size_t>(side), n = batch * cells;
  // In: context, query and values. Out: input of two channels, target and query.
  return {text("noise, context and query, ", batch, " x ", side, " x ", side),
          {"assemble_kernel"},
          (6 + 8 + 4 + 1) * n,
          [=](cuda::Device& device) {
            auto *values = zeros<float>(device, n), *scale = zeros<float>(device, 1);
            auto* members = zeros<std::uint8_t>(device, n);
            auto* samples = zeros<train::SampleView>(device, batch);
            cuda::check(cudaMemsetAsync(members, 1, n, device.stream()), "mark all as observed");
            std::vector<train::SampleView> host;
            for (std::uint64_t b = 0; b < batch; ++b)
              host.push_back({.patch = {0, 0, side, side},
                              .grid_width = side,
                              .values = values + b * cells,
                              .context = members + b * cells,
                              .query = members + b * cells,
                              .background = nullptr,
                              .climate = nullptr,
                              .place = nullptr,
                              .season = nullptr,
                              .scale = scale,
                              .alpha = 0.8f,
                              .sigma = 0.6f,
                              .noise = philox_key(1, Purpose::noise),
                              .sample = b});
            cuda::copy_now(device.stream(), samples, static_cast<const train::SampleView*>(host.data()), host.size(),
                           cudaMemcpyHostToDevice);
            const train::BatchShape shape{layout, batch, side, side};
            const kernels::AssembleBatch to{shape, zeros<float>(device, n * static_cast<std::size_t>(layout.channels())),
                                            zeros<float>(device, n), zeros<std::uint8_t>(device, n),
                                            zeros<unsigned>(device, batch * kernels::AssemblePlan::of(shape).blocks)};
            return [=](cudaStream_t stream) { kernels::assemble(stream, samples, to); };
          }};
}

/// Median microseconds of a launch, of 15 times as many launches as take about a millisecond.
double microseconds(cuda::Device& device, const std::function<void(cudaStream_t)>& launch) {
  cudaEvent_t begin = nullptr, end = nullptr;
  cuda::check(cudaEventCreate(&begin), "create an event");
  cuda::check(cudaEventCreate(&end), "create an event");
  const auto run = [&](int times) {
    cuda::check(cudaEventRecord(begin, device.stream()), "record an event");
    for (int i = 0; i < times; ++i) launch(device.stream());
    cuda::check(cudaEventRecord(end, device.stream()), "record an event");
    device.stream().synchronize();
    float milliseconds = 0;
    cuda::check(cudaEventElapsedTime(&milliseconds, begin, end), "read a time");
    return 1e3 * static_cast<double>(milliseconds) / times;
  };
  run(3);
  const int times = std::max(1, static_cast<int>(1e3 / run(3)));
  std::vector<double> all;
  for (int i = 0; i < 15; ++i) all.push_back(run(times));
  cudaEventDestroy(begin);
  cudaEventDestroy(end);
  std::nth_element(all.begin(), all.begin() + 7, all.end());
  return all[7];
}

void measure(const std::vector<Row>& rows) {
  cuda::Device device;
  std::printf("%s\n%-52s %12s %10s %8s %8s\n", device.name().c_str(), "kernel, elements", "bytes", "us", "GB/s", "of copy");
  for (const Row& row : rows) {
    device.reset();
    const std::size_t half = row.bytes / 2;
    auto *from = zeros<char>(device, half), *to = zeros<char>(device, half);
    const double copied = microseconds(device, [&](cudaStream_t stream) {
      cuda::check(cudaMemcpyAsync(to, from, half, cudaMemcpyDeviceToDevice, stream), "copy");
    });
    const double taken = microseconds(device, row.prepare(device));
    std::printf("%-52s %12zu %10.2f %8.0f %8.2f\n", row.name.c_str(), row.bytes, taken,
                1e-3 * static_cast<double>(row.bytes) / taken, copied / taken);
  }
}

void print_budgets(const std::vector<Row>& rows) {
  std::ifstream file(LACUNA_KERNEL_BUDGETS);
  require(file.good(), LACUNA_KERNEL_BUDGETS, " cannot be read");
  const auto budgets = nlohmann::json::parse(file)["kernels"];
  std::printf(
      "No CUDA device: no times. What a launch must move, and what a thread and a block may take (tests hold nvcc to it).\n"
      "%-52s %12s  %s\n",
      "kernel, elements", "bytes", "registers / shared bytes");
  for (const Row& row : rows) {
    std::printf("%-52s %12zu ", row.name.c_str(), row.bytes);
    for (const auto& kernel : row.kernels) {
      require(budgets.contains(kernel), LACUNA_KERNEL_BUDGETS, " has no ", kernel);
      std::printf(" %d / %d", budgets[kernel]["registers"].get<int>(), budgets[kernel]["shared"].get<int>());
    }
    std::printf("\n");
  }
}

}  // namespace

int main() {
  std::vector<Row> rows;
  for (const std::size_t n : {std::size_t{1} << 20, std::size_t{1} << 25}) {
    rows.push_back(masked_loss(n));
    rows.push_back(adam(n));
  }
  for (const std::size_t pixels : {std::size_t{1} << 14, std::size_t{1} << 19})
    for (const bool backward : {false, true}) rows.push_back(norm(pixels, backward));
  for (const int side : {64, 1024}) {
    rows.push_back(assemble(side));
    rows.push_back(ensemble(side));
  }
  try {
    if (cuda::device_count() > 0)
      measure(rows);
    else
      print_budgets(rows);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_kernels: %s\n", error.what());
    return 1;
  }
  return 0;
}
