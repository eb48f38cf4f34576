// Kernels on a GPU: microseconds a launch, GB/s, and the share of the bandwidth of a copy of as many bytes in the same run.
// Without a GPU: what a launch must move, and the registers and shared memory that a block may take; never a time.

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <vector>

#include "benchmarks/kernels/images.hpp"
#include "benchmarks/kernels/networks.hpp"
#include "benchmarks/kernels/row.hpp"
#include "benchmarks/kernels/steps.hpp"

namespace {

using namespace lacuna;
using namespace lacuna::bench;

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
  rows.push_back(norm_parameters(std::size_t{1} << 19));
  for (const int side : {64, 1024}) {
    rows.push_back(assemble(side));
    rows.push_back(ensemble(side));
  }
  for (const int side : {128, 512}) {
    add_elementwise(rows, side);
    add_moves(rows, side);
    add_channelwise(rows, side);
    add_spectra(rows, side);
  }
  for (const int side : {16, 32}) {
    add_temporal_attention(rows, side);
    add_position_attention(rows, side);
  }
  add_small(rows);
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
