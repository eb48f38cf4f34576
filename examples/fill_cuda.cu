// The CUDA backend of lacuna-fill.
#include "fill_cuda.hpp"
#include "lacuna/cuda/engine.hpp"
#include "lacuna/cuda/evaluator.hpp"

extern "C" __attribute__((visibility("default"))) void lacuna_impute_on_cuda(const lacuna::data::Fields& fields,
                                                                             const lacuna::fill::Options& options,
                                                                             lacuna::fill::Result& result) {
  lacuna::fill::validate(options);
  lacuna::cuda::Device device(
      {.ordinal = lacuna::fill::gpu_of(options.device), .threads = options.threads, .tf32 = options.precision == "tf32"});
  result = lacuna::fill::impute(device, fields, options);
}
