#pragma once

#include "lacuna/fill/impute.hpp"

// What lacuna-fill opens with --device cuda: a library of its own, so that whoever fills on the CPU needs no CUDA.

#define LACUNA_FILL_CUDA_LIBRARY "liblacuna-fill-cuda.so"
#define LACUNA_FILL_CUDA_FUNCTION "lacuna_impute_on_cuda"

/// @brief lacuna::fill::impute() on the GPU that the options name. Throws as that does, and CudaError.
extern "C" void lacuna_impute_on_cuda(const lacuna::data::Fields& fields, const lacuna::fill::Options& options,
                                      lacuna::fill::Result& result);
