// One training step of the space-time UNet on the paper's largest samples, 100 frames of 64 x 64, batch 1: what was planned, what
// it took.
//
// usage: bench_long_sequence_step [threads] [kept]       (kept: activations are kept, not computed again)

#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "lacuna/model/resident_memory.hpp"
#include "lacuna/nn/space_time_unet.hpp"
#include "lacuna/ops/masked_loss.hpp"
#include "lacuna/train/optimizer.hpp"

namespace {

using namespace lacuna;

constexpr Shape shape{.batch = 1, .frames = 100, .height = 64, .width = 64, .channels = 2};

class Step {
 public:
  Step(int threads, bool recompute)
      : device_({.threads = threads}), network_({.recompute = recompute}, parameters_, 1), optimizer_(parameters_, {}) {}

  /// Bytes of the arena that a step takes; computes nothing.
  std::size_t plan() {
    pass(true);
    return device_.arena().high_water();
  }
  void operator()() {
    pass(false);
    optimizer_.step(parameters_, 1e-3, device_.threads());
  }

 private:
  void pass(bool dry) {
    const float time[] = {0.5f};
    device_.release();
    Graph<float> graph(device_, parameters_, Mode::train, dry);
    const auto input = graph.make(shape);
    if (!dry) std::fill_n(input.data, shape.size(), 0.5f);
    const auto estimate = network_(graph, input, time);
    ops::masked_loss(graph, estimate, target_.data(), query_.data());
    graph.backward();
  }

  cpu::Device device_;
  Parameters<float> parameters_;
  nn::SpaceTimeUNet network_;
  train::Optimizer<float> optimizer_;
  std::vector<float> target_ = std::vector<float>(shape.cells(), 0.25f);
  std::vector<std::uint8_t> query_ = std::vector<std::uint8_t>(shape.cells(), 1);
};

double megabytes(std::size_t bytes) { return 1e-6 * static_cast<double>(bytes); }

}  // namespace

int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::stoi(argv[1]) : 1;
  const bool recompute = argc <= 2 || std::string(argv[2]) != "kept";
  Step step(threads, recompute);
  std::printf("activations %s: planned arena %.0f MB\n", recompute ? "computed again" : "kept", megabytes(step.plan()));
  std::fflush(stdout);
  const auto start = std::chrono::steady_clock::now();
  step();
  std::printf("one step: %.1f s on %d threads, peak resident memory %.0f MB\n",
              std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(), threads,
              megabytes(model::peak_memory()));
}
