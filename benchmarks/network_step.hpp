// Training steps and ensembles of a network with frames as channels, timed on request: the lacuna side of benchmarks/peers.
//
// Answers "step N", "ensemble N" and "profile N" (serve.hpp).
// A step is: noise, contexts and queries of a batch of 16 images, forward, masked loss, backward, clipping, Adam and the moving
// average of the weights. An ensemble is K = 10 members of the batch in one inference pass.

#pragma once

#include <string_view>
#include <vector>

#include "lacuna/core/philox.hpp"
#include "lacuna/ops/masked_loss.hpp"
#include "lacuna/schedule/variance_preserving.hpp"
#include "lacuna/train/optimizer.hpp"
#include "serve.hpp"

namespace lacuna::bench {

/// Settings of a network of two channels in and one out, on images of side x side.
template <class Network, int side>
class NetworkStep {
 public:
  NetworkStep(int threads, const typename Network::Settings& settings)
      : device_({.threads = threads}), network_(settings, parameters_, 1), optimizer_(parameters_, {}) {
    for (std::size_t i = 0; i < cells; ++i) {
      const auto words = philox(philox_key(1, Purpose::initial), 1, i);
      truth_[i] = normals(words)[0];
      observed_[i] = uniform(words[2]) < 0.3f ? 1 : 0;
    }
  }

  void step(Profile* profile = nullptr) {
    const auto whole = Profile::step(profile);
    device_.reset();
    parameters_.zero_gradients();
    Graph<float> graph(device_, parameters_, Mode::train, false, profile);
    const auto input = graph.make({.batch = batch, .height = side, .width = side, .channels = 2});
    {
      const auto samples = Profile::part(profile, "samples");
      fill(input.data);
    }
    const auto estimate = network_(graph, input, times_.data());
    ops::masked_loss(graph, estimate, truth_.data(), query_.data());
    graph.backward();
    const auto optimizer = Profile::part(profile, "optimizer");
    optimizer_.step(parameters_, 1e-3, device_.threads());
  }

  void ensemble() {
    device_.reset();
    Graph<float> graph(device_, parameters_, Mode::infer);
    const auto input = graph.make({.batch = members * batch, .height = side, .width = side, .channels = 2});
    for (int k = 0; k < members; ++k) fill(input.data + static_cast<std::size_t>(k) * 2 * cells);
    const std::vector<float> times(members * batch, 1e-3f);
    network_(graph, input, times.data());
  }

 private:
  static constexpr int batch = 16, members = 10;
  static constexpr std::size_t pixels = side * side, cells = batch * pixels;

  void fill(float* input) {
    ++draw_;
    const auto time_key = philox_key(1, Purpose::time), noise_key = philox_key(1, Purpose::noise),
               mask_key = philox_key(1, Purpose::query);
    parallel_for(device_.threads(), batch, [&](int b) {
      const auto t = static_cast<std::size_t>(b);
      times_[t] = uniform(philox(time_key, draw_, t)[0]);
      const auto alpha = static_cast<float>(schedule_.alpha(times_[t])), sigma = static_cast<float>(schedule_.sigma(times_[t]));
      for (std::size_t i = t * pixels; i < (t + 1) * pixels; i += 4) {
        const auto noise = normals(philox(noise_key, draw_, i / 4));
        const auto words = philox(mask_key, draw_, i / 4);
        for (std::size_t j = 0; j < 4; ++j) {
          const bool seen = observed_[i + j] != 0;
          const bool context = seen && (words[j] & 0xffffu) < 45875u;  // 0.7
          query_[i + j] = seen && (words[j] >> 16) < 45875u ? 1 : 0;
          input[2 * (i + j)] = context ? 1.0f : 0.0f;
          input[2 * (i + j) + 1] = context ? alpha * truth_[i + j] + sigma * noise[j] : 0.0f;
        }
      }
    });
  }

  cpu::Device device_;
  Parameters<float> parameters_;
  Network network_;
  train::Optimizer<float> optimizer_;
  schedule::VariancePreserving schedule_;
  std::vector<float> truth_ = std::vector<float>(cells), times_ = std::vector<float>(batch);
  std::vector<std::uint8_t> observed_ = std::vector<std::uint8_t>(cells), query_ = std::vector<std::uint8_t>(cells);
  std::uint64_t draw_ = 0;
};

/// Answers requests until there are none.
template <class Network, int side>
void serve(NetworkStep<Network, side>& bench) {
  serve({"step", "ensemble"},
        [&bench](std::string_view work, Profile* profile) { work == "step" ? bench.step(profile) : bench.ensemble(); });
}

}  // namespace lacuna::bench
