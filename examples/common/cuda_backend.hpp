#pragma once

#include <dlfcn.h>

#include <string>

#include "lacuna/core/error.hpp"
#include "lacuna/core/interruption.hpp"
#include "lacuna/observer.hpp"
#include "lacuna/result.hpp"
#include "lacuna/settings.hpp"
#include "reproduce/network_job.hpp"

// What the command-line programs open with --device cuda: a library of its own, so that whoever stays on the CPU needs no CUDA.

#define LACUNA_CUDA_BACKEND "liblacuna-cuda.so"

/// @brief lacuna::impute() on the GPU of that number. Throws as that does, and CudaError.
extern "C" void lacuna_impute_on_cuda(int gpu, const lacuna::data::Fields& fields, const lacuna::Settings& settings,
                                      lacuna::Observer& observer, lacuna::Result& result);

/// @brief lacuna::experiment::train_and_fill() on the GPU of that number. Throws as that does, and CudaError.
extern "C" void lacuna_train_and_fill_on_cuda(int gpu, int threads, const lacuna::experiment::NetworkJob& job,
                                              lacuna::experiment::NetworkFill& result);

/// @brief Makes the library's training end with a checkpoint when a signal reaches the program.
extern "C" void lacuna_share_interruption(lacuna::Interruption::State* program);

/// @brief One of these functions, from the library. Throws: Error if that is not there.
template <class Function>
Function* from_cuda_backend(const char* name) {
  void* library = dlopen(LACUNA_CUDA_BACKEND, RTLD_NOW | RTLD_LOCAL);
  lacuna::require(library != nullptr, "--device cuda: ", library == nullptr ? dlerror() : "",
                  " (it is built where nvcc 12.8, cuBLAS, cuFFT and cuDNN 9 are found)");
  const auto find = [&](const char* wanted) {
    void* function = dlsym(library, wanted);
    lacuna::require(function != nullptr, "--device cuda: ", LACUNA_CUDA_BACKEND, " has no ", wanted);
    return function;
  };
  reinterpret_cast<decltype(&lacuna_share_interruption)>(find("lacuna_share_interruption"))(&lacuna::Interruption::state());
  return reinterpret_cast<Function*>(find(name));
}
