// The CUDA backend of the command-line programs.
#include "common/cuda_backend.hpp"
#include "lacuna/cuda/engine.hpp"
#include "lacuna/cuda/evaluator.hpp"
#include "lacuna/model/pipeline.hpp"
#include "reproduce/trained.hpp"

#define LACUNA_EXPORTED extern "C" __attribute__((visibility("default")))

LACUNA_EXPORTED void lacuna_share_interruption(lacuna::Interruption::State* program) { lacuna::Interruption::share(*program); }

LACUNA_EXPORTED void lacuna_impute_on_cuda(int gpu, const lacuna::data::Fields& fields, const lacuna::Settings& settings,
                                           lacuna::Observer& observer, lacuna::Result& result) {
  using Device = lacuna::cuda::Device;
  const auto device = std::make_shared<Device>(Device::Settings{
      .ordinal = gpu, .threads = settings.threads, .tf32 = settings.network.precision == lacuna::Precision::tf32});
  result = lacuna::model::impute_on(device, fields, settings, lacuna::model::NetworkFactory<Device>{settings.network}, observer);
}

LACUNA_EXPORTED void lacuna_train_and_fill_on_cuda(int gpu, int threads, const lacuna::experiment::NetworkJob& job,
                                                   lacuna::experiment::NetworkFill& result) {
  const auto device = std::make_shared<lacuna::cuda::Device>(lacuna::cuda::Device::Settings{.ordinal = gpu, .threads = threads});
  result = lacuna::experiment::train_and_fill(device, job);
}
