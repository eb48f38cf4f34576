// Training steps and ensembles of the 2-D Fourier neural operator on images of 64 x 64: the lacuna side of
// benchmarks/peers/fno.py.
//
// usage: bench_fno_step [threads] [float|bfloat16]     requests: network_step.hpp

#include <string>

#include "lacuna/nn/fno.hpp"
#include "lacuna/nn/in_bfloat16.hpp"
#include "network_step.hpp"

namespace {

using namespace lacuna;

template <class Network>
void run(int threads) {
  bench::NetworkStep<Network, 64> bench(threads, {.inputs = 2, .outputs = 1, .hidden = 32, .modes = {16, 16}});
  bench::serve(bench);
}

}  // namespace

int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::stoi(argv[1]) : 1;
  const bool narrow = argc > 2 && std::string(argv[2]) == "bfloat16";
  narrow ? run<nn::InBfloat16<nn::Fno>>(threads) : run<nn::Fno>(threads);
}
