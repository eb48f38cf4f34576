// The CUDA backend of the command-line programs.
#include "cuda_backend.hpp"
#include "lacuna/cuda/engine.hpp"
#include "lacuna/cuda/evaluator.hpp"
#include "lacuna/experiment/trained.hpp"

#define LACUNA_EXPORTED extern "C" __attribute__((visibility("default")))

LACUNA_EXPORTED void lacuna_share_interruption(lacuna::Interruption::State* program) { lacuna::Interruption::share(*program); }

LACUNA_EXPORTED void lacuna_impute_on_cuda(const lacuna::data::Fields& fields, const lacuna::fill::Options& options,
                                           lacuna::fill::Result& result) {
  lacuna::fill::validate(options);
  lacuna::cuda::Device device(
      {.ordinal = lacuna::fill::gpu_of(options.device), .threads = options.threads, .tf32 = options.precision == "tf32"});
  result = lacuna::fill::impute(device, fields, options);
}

LACUNA_EXPORTED void lacuna_train_and_fill_on_cuda(int gpu, int threads, const lacuna::experiment::NetworkJob& job,
                                                   lacuna::experiment::NetworkFill& result) {
  lacuna::cuda::Device device({.ordinal = gpu, .threads = threads});
  result = lacuna::experiment::train_and_fill(device, job);
}
