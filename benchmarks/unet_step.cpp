// Training steps and ensembles of the 2-D UNet on images of 32 x 32: the lacuna side of benchmarks/peers/unet2d.py.
//
// usage: bench_unet_step [threads]     requests: network_step.hpp

#include "lacuna/nn/unet.hpp"
#include "network_step.hpp"

int main(int argc, char** argv) {
  using namespace lacuna;
  bench::NetworkStep<nn::UNet, 32> bench(argc > 1 ? std::stoi(argv[1]) : 1, {.inputs = 2, .outputs = 1, .hidden = 32});
  bench::serve(bench);
}
