// Training steps and ensembles of the 2-D Fourier neural operator on images of 64 x 64: the lacuna side of
// benchmarks/peers/fno.py.
//
// usage: bench_fno_step [threads]     requests: network_step.hpp

#include "lacuna/nn/fno.hpp"
#include "network_step.hpp"

int main(int argc, char** argv) {
  using namespace lacuna;
  bench::NetworkStep<nn::Fno, 64> bench(argc > 1 ? std::stoi(argv[1]) : 1,
                                        {.inputs = 2, .outputs = 1, .hidden = 32, .modes = {16, 16}});
  bench::serve(bench);
}
