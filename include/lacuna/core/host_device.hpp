#pragma once

/// Marks a function that a GPU kernel may call too. Empty for host compilers.
#ifdef __CUDACC__
#define LACUNA_HOST_DEVICE __host__ __device__
#else
#define LACUNA_HOST_DEVICE
#endif
