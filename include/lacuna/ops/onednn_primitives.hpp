#pragma once

#if defined(LACUNA_HAS_ONEDNN) && !defined(__CUDACC__)  // nvcc 13.0 stops at oneDNN's header with an internal error

#include <oneapi/dnnl/dnnl_version.h>

#include <oneapi/dnnl/dnnl.hpp>

namespace lacuna::ops::onednn {

/// @brief What describes a convolution, or deconvolution, in each of its passes.
struct Convolution {
  dnnl::algorithm algorithm;
  dnnl::memory::desc x, y, weights, grad_weights, bias;
  dnnl::memory::dims stride, padding;
};

// Primitives are described by an operation descriptor in oneDNN 2, and at once in oneDNN 3. Nothing else in lacuna differs
// between the two.

template <class Forward>
typename Forward::primitive_desc forward(const dnnl::engine& engine, const Convolution& c, const dnnl::primitive_attr& attr) {
  constexpr auto kind = dnnl::prop_kind::forward_training;
#if DNNL_VERSION_MAJOR >= 3
  return {engine, kind, c.algorithm, c.x, c.weights, c.bias, c.y, c.stride, c.padding, c.padding, attr};
#else
  return {{kind, c.algorithm, c.x, c.weights, c.bias, c.y, c.stride, c.padding, c.padding}, attr, engine};
#endif
}

template <class BackwardData, class Hint>
typename BackwardData::primitive_desc backward_data(const dnnl::engine& engine, const Convolution& c,
                                                    const dnnl::primitive_attr& attr, const Hint& hint) {
#if DNNL_VERSION_MAJOR >= 3
  return {engine, c.algorithm, c.x, c.weights, c.y, c.stride, c.padding, c.padding, hint, attr};
#else
  return {{c.algorithm, c.x, c.weights, c.y, c.stride, c.padding, c.padding}, attr, engine, hint};
#endif
}

template <class BackwardWeights, class Hint>
typename BackwardWeights::primitive_desc backward_weights(const dnnl::engine& engine, const Convolution& c,
                                                          const dnnl::primitive_attr& attr, const Hint& hint) {
#if DNNL_VERSION_MAJOR >= 3
  return {engine, c.algorithm, c.x, c.grad_weights, c.bias, c.y, c.stride, c.padding, c.padding, hint, attr};
#else
  return {{c.algorithm, c.x, c.grad_weights, c.bias, c.y, c.stride, c.padding, c.padding}, attr, engine, hint};
#endif
}

}  // namespace lacuna::ops::onednn

#endif
