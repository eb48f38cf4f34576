#pragma once

/// What macros change of the library is in an inline namespace of its own name for each configuration: translation units of
/// different ones link without one taking the other's functions, and what only one of them has is missing at link time.
#if defined(LACUNA_HAS_ONEDNN) && !defined(__CUDACC__)
#ifdef _OPENMP
#define LACUNA_CONFIGURATION onednn_openmp
#else
#define LACUNA_CONFIGURATION onednn_threads
#endif
#else
#ifdef _OPENMP
#define LACUNA_CONFIGURATION eigen_openmp
#else
#define LACUNA_CONFIGURATION eigen_threads
#endif
#endif

/// Before functions that are in the library of lacuna::compiled where that is used, and inline where it is not.
#ifdef LACUNA_COMPILED
#define LACUNA_DEFINITION
#else
#define LACUNA_DEFINITION inline
#endif
