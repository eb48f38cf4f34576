#pragma once

#include <cstddef>
#include <cstdint>

#include "port.cuh"

namespace lacuna::kernels {

/// Threads of a block in every kernel here.
inline constexpr unsigned block_size = 256;
/// Elements that a thread takes at a time: 16 bytes of float.
inline constexpr unsigned chunk_size = 4;
/// More blocks than any GPU holds at once gain nothing, and partial sums stay few.
inline constexpr std::size_t max_blocks = 1024;

/// @brief Blocks for n elements. Depends on n alone, so that sums have one order on every GPU.
inline unsigned blocks_for(std::size_t n) {
  const std::size_t per_block = block_size * chunk_size, blocks = (n + per_block - 1) / per_block;
  return static_cast<unsigned>(blocks < 1 ? 1 : blocks < max_blocks ? blocks : max_blocks);
}

/// @brief Four consecutive elements, all inside and aligned: one access of 16 bytes (of 4 for bytes).
struct WholeChunk {
  std::size_t begin;
};
/// @brief Up to four consecutive elements, one by one.
struct PartChunk {
  std::size_t begin;
  int count;
};

/// Four values in registers; those outside a part are zero.
template <class T>
struct Four {
  T v[chunk_size];
};

__device__ __forceinline__ Four<float> load(const float* p, WholeChunk c) {
  const float4 f = *reinterpret_cast<const float4*>(p + c.begin);
  return {{f.x, f.y, f.z, f.w}};
}
__device__ __forceinline__ Four<std::uint8_t> load(const std::uint8_t* p, WholeChunk c) {
  const uchar4 b = *reinterpret_cast<const uchar4*>(p + c.begin);
  return {{b.x, b.y, b.z, b.w}};
}
template <class T>
__device__ __forceinline__ Four<T> load(const T* p, PartChunk c) {
  Four<T> f;
  for (int k = 0; k < 4; ++k) f.v[k] = k < c.count ? p[c.begin + static_cast<std::size_t>(k)] : T(0);
  return f;
}

__device__ __forceinline__ void store(float* p, WholeChunk c, const Four<float>& f) {
  *reinterpret_cast<float4*>(p + c.begin) = make_float4(f.v[0], f.v[1], f.v[2], f.v[3]);
}
__device__ __forceinline__ void store(float* p, PartChunk c, const Four<float>& f) {
  for (int k = 0; k < 4; ++k)
    if (k < c.count) p[c.begin + static_cast<std::size_t>(k)] = f.v[k];
}

/// @brief Whether a pointer allows whole chunks; a null pointer stands for an absent operand and does.
template <class T>
__device__ __forceinline__ bool aligned(const T* p) {
  return reinterpret_cast<std::uintptr_t>(p) % (chunk_size * sizeof(T)) == 0;
}

/// @brief Calls visit(chunk) for chunks that cover [0, n), each once over the whole grid: whole ones if `wide`, else parts.
template <class Visit>
__device__ __forceinline__ void for_chunks(std::size_t n, bool wide, const Visit& visit) {
  const std::size_t stride = static_cast<std::size_t>(gridDim.x) * block_size * chunk_size;
  for (std::size_t i = (static_cast<std::size_t>(blockIdx.x) * block_size + threadIdx.x) * chunk_size; i < n; i += stride) {
    if (wide && i + chunk_size <= n)
      visit(WholeChunk{i});
    else
      visit(PartChunk{i, static_cast<int>(n - i < chunk_size ? n - i : chunk_size)});
  }
}

}  // namespace lacuna::kernels
