// Every kernel, compiled by nvcc with the template arguments the library uses, and linked with the CUDA runtime.
#include "adam.cuh"
#include "assemble.cuh"
#include "concatenate.cuh"
#include "ensemble.cuh"
#include "epilogue.cuh"
#include "lacuna/mask/blocks.hpp"
#include "lacuna/mask/empirical.hpp"
#include "lacuna/mask/pixels.hpp"
#include "masked_loss.cuh"
#include "rms_norm_parameters.cuh"
#include "rms_norm_silu.cuh"
#include "sampler_update.cuh"

using namespace lacuna;

template void kernels::assemble<mask::Pixels::Draw>(kernels::Stream, const kernels::AssembleSample<mask::Pixels::Draw>*, int,
                                                    const kernels::AssembleBatch&);
template void kernels::assemble<mask::Blocks::Draw>(kernels::Stream, const kernels::AssembleSample<mask::Blocks::Draw>*, int,
                                                    const kernels::AssembleBatch&);
template void kernels::assemble<mask::Empirical::Draw>(kernels::Stream, const kernels::AssembleSample<mask::Empirical::Draw>*,
                                                       int, const kernels::AssembleBatch&);
template void kernels::assemble<mask::Observed::Draw>(kernels::Stream, const kernels::AssembleSample<mask::Observed::Draw>*, int,
                                                      const kernels::AssembleBatch&);
template void kernels::epilogue<ops::Identity>(kernels::Stream, const float*, const float*, const float*, std::size_t, int,
                                               float*);
template void kernels::epilogue<ops::Silu>(kernels::Stream, const float*, const float*, const float*, std::size_t, int, float*);
template void kernels::epilogue<ops::Gelu>(kernels::Stream, const float*, const float*, const float*, std::size_t, int, float*);

int main() {
  // The launch functions that are no templates are kept by taking their addresses; nothing runs without a GPU.
  const void* const kept[] = {reinterpret_cast<const void*>(&kernels::count_queried),
                              reinterpret_cast<const void*>(&kernels::masked_loss),
                              reinterpret_cast<const void*>(&kernels::adam),
                              reinterpret_cast<const void*>(&kernels::ensemble),
                              reinterpret_cast<const void*>(&kernels::norm_forward),
                              reinterpret_cast<const void*>(&kernels::norm_backward),
                              reinterpret_cast<const void*>(&kernels::norm_parameters),
                              reinterpret_cast<const void*>(&kernels::sampler_update),
                              reinterpret_cast<const void*>(&kernels::concatenate),
                              reinterpret_cast<const void*>(&kernels::split)};
  for (const void* p : kept)
    if (p == nullptr) return 1;
  return 0;
}
