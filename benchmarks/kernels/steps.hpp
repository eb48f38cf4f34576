#pragma once

// What training and imputation launch around a network.

#include <cstdint>
#include <vector>

#include "benchmarks/kernels/row.hpp"
#include "kernels/adam.cuh"
#include "kernels/assemble.cuh"
#include "kernels/ensemble.cuh"
#include "kernels/masked_loss.cuh"

namespace lacuna::bench {

inline Row masked_loss(std::size_t n) {
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

inline Row adam(std::size_t n) {
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
inline Row ensemble(int side) {
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

/// Noise, context and query, target: a batch of single fields of which all is in the context and in the query.
inline Row assemble(int side) {
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

}  // namespace lacuna::bench
