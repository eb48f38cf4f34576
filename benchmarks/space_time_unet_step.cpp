// Training steps and forward passes of the space-time UNet, timed on request: the lacuna side of
// benchmarks/peers/space_time_unet.py.
//
// usage: bench_space_time_unet_step [threads] [float|bfloat16] [recompute]
// Answers "forward N", "step N" and "profile N" (serve.hpp). A batch is 8 samples of 8 frames of 32 x 32. A step is forward,
// masked loss and backward; a forward keeps nothing. With "recompute" blocks are computed again on the way back.

#include <string>
#include <vector>

#include "lacuna/core/philox.hpp"
#include "lacuna/nn/in_bfloat16.hpp"
#include "lacuna/nn/space_time_unet.hpp"
#include "lacuna/ops/masked_loss.hpp"
#include "serve.hpp"

namespace {

using namespace lacuna;

constexpr Shape shape{.batch = 8, .frames = 8, .height = 32, .width = 32, .channels = 2};

template <class Network>
class Bench {
 public:
  Bench(int threads, bool recompute) : device_({.threads = threads}), network_({.recompute = recompute}, parameters_, 1) {
    for (std::size_t i = 0; i < input_.size(); ++i) {
      const auto words = philox(philox_key(1, Purpose::initial), 1, i);
      input_[i] = normals(words)[0];
      if (i % 2 == 0) input_[i] = input_[i] > 0 ? 1.0f : 0.0f;
      query_[i / 2] = uniform(words[2]) < 0.3f ? 1 : 0;
    }
  }

  void pass(Mode mode, Profile* profile = nullptr) {
    const auto whole = Profile::step(profile);
    device_.reset();
    parameters_.zero_gradients();
    Graph<float> graph(device_, parameters_, mode, false, profile);
    const auto input = graph.make(shape);
    std::copy(input_.begin(), input_.end(), input.data);
    const auto estimate = network_(graph, input, times_.data());
    if (mode == Mode::infer) return;
    ops::masked_loss(graph, estimate, target_.data(), query_.data());
    graph.backward();
  }

 private:
  cpu::Device device_;
  Parameters<float> parameters_;
  Network network_;
  std::vector<float> input_ = std::vector<float>(shape.size()), target_ = std::vector<float>(shape.cells(), 0.5f),
                     times_ = std::vector<float>(shape.batch, 0.5f);
  std::vector<std::uint8_t> query_ = std::vector<std::uint8_t>(shape.cells());
};

template <class Network>
void serve(int threads, bool recompute) {
  Bench<Network> bench(threads, recompute);
  bench::serve({"forward", "step"}, [&bench](std::string_view work, Profile* profile) {
    bench.pass(work == "forward" ? Mode::infer : Mode::train, profile);
  });
}

}  // namespace

int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::stoi(argv[1]) : 1;
  const bool recompute = argc > 3 && std::string(argv[3]) == "recompute";
  if (argc > 2 && std::string(argv[2]) == "bfloat16")
    serve<nn::InBfloat16<nn::SpaceTimeUNet>>(threads, recompute);
  else
    serve<nn::SpaceTimeUNet>(threads, recompute);
}
