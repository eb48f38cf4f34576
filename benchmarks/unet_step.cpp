// Training steps and ensembles of the 2-D UNet on images of 32 x 32: the lacuna side of benchmarks/peers/unet2d.py.
//
// usage: bench_unet_step [threads] [float|bfloat16]     requests: network_step.hpp

#include <string>

#include "lacuna/nn/in_bfloat16.hpp"
#include "lacuna/nn/unet.hpp"
#include "network_step.hpp"

namespace {

using namespace lacuna;

template <class Network>
void run(int threads) {
  bench::NetworkStep<Network, 32> bench(threads, {.inputs = 2, .outputs = 1, .hidden = 32});
  bench::serve(bench);
}

}  // namespace

int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::stoi(argv[1]) : 1;
  const bool narrow = argc > 2 && std::string(argv[2]) == "bfloat16";
  narrow ? run<nn::InBfloat16<nn::UNet>>(threads) : run<nn::UNet>(threads);
}
