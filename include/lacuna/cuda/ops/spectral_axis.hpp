#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "lacuna/cuda/epilogue.hpp"
#include "lacuna/cuda/products.hpp"
#include "lacuna/ops/spectral_convolution.hpp"

namespace lacuna::cuda {

/// @brief A host's array, copied once to the device's memory.
inline DeviceArray<float> uploaded(const Device& device, const std::vector<float>& host) {
  DeviceArray<float> array(host.size());
  copy_now(device.stream(), array.data(), host.data(), host.size(), cudaMemcpyHostToDevice);
  return array;
}

/// @brief ops::SpectralAxis over many blocks as products with the truncated DFT matrix, which the device keeps.
class AxisProducts {
 public:
  using Axis = ops::SpectralAxis<float>;
  using Weights = Axis::Weights;

  AxisProducts(const Device& device, int size, int modes, Axis::Half kind)
      : AxisProducts(device, Axis(size, modes, kind, ops::AxisTransform::product)) {}

  int kept() const { return kept_; }

  /// modes (blocks, 2, kept, columns) of space (blocks, rows, columns).
  void analyse(Graph& graph, const float* space, float* modes, int blocks, int columns, Weights weights) const {
    multiply_blocks(graph, {.rows = 2 * kept_, .columns = columns, .depth = rows_}, space, modes, blocks, weights);
  }
  /// space from modes. `bias` (columns), or null, is added to every row.
  void synthesise(Graph& graph, const float* modes, float* space, int blocks, int columns, Weights weights,
                  const float* bias = nullptr) const {
    multiply_blocks(graph, {.rows = rows_, .columns = columns, .depth = 2 * kept_, .transpose_a = true}, modes, space, blocks,
                    weights);
    if (bias != nullptr)
      add_bias(graph, space, bias, static_cast<std::size_t>(blocks) * static_cast<std::size_t>(rows_), columns);
  }

 private:
  AxisProducts(const Device& device, const Axis& axis)
      : kept_(axis.kept()),
        rows_(axis.space_rows()),
        mean_(uploaded(device, axis.matrix(Weights::mean))),
        members_(uploaded(device, axis.matrix(Weights::members))) {}

  /// `product` of the matrix and each block, at most as many at a time as a grid's third extent has: a multiple of four, for the
  /// next ones to begin at 16 bytes too.
  void multiply_blocks(Graph& graph, MatrixProduct product, const float* from, float* to, int blocks, Weights weights) const {
    constexpr int most = 65532;
    product.apart_b = std::int64_t{product.depth} * product.columns;
    product.apart_c = std::int64_t{product.rows} * product.columns;
    const float* matrix = (weights == Weights::mean ? mean_ : members_).data();
    for (int first = 0; first < blocks; first += most) {
      product.batch = std::min(most, blocks - first);
      multiply(graph, product, matrix, from + first * product.apart_b, to + first * product.apart_c);
    }
  }

  int kept_, rows_;
  DeviceArray<float> mean_, members_;
};

}  // namespace lacuna::cuda

template <>
struct lacuna::ops::AxisOf<float, lacuna::cuda::Device> {
  using Type = cuda::AxisProducts;
};
