#pragma once

#if defined(LACUNA_HAS_ONEDNN) && !defined(__CUDACC__)  // nvcc 13.0 stops at oneDNN's header with an internal error
#include <oneapi/dnnl/dnnl.hpp>
#endif

namespace lacuna {

/// @brief While it lives, oneDNN keeps no kernels of primitives that are gone: each plan then counts its own, as a run of its own
/// would have them.
class NoKernelsKept {
 public:
#if defined(LACUNA_HAS_ONEDNN) && !defined(__CUDACC__)
  NoKernelsKept() : before_(dnnl::get_primitive_cache_capacity()) { dnnl::set_primitive_cache_capacity(0); }
  ~NoKernelsKept() { dnnl::set_primitive_cache_capacity(before_); }
#else
  NoKernelsKept() {}
#endif
  NoKernelsKept(const NoKernelsKept&) = delete;
  NoKernelsKept& operator=(const NoKernelsKept&) = delete;

#if defined(LACUNA_HAS_ONEDNN) && !defined(__CUDACC__)
 private:
  int before_;
#endif
};

}  // namespace lacuna
