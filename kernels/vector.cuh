#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "lacuna/core/bfloat16.hpp"
#include "port.cuh"

namespace lacuna::kernels {

/// Threads of a block in every kernel here.
inline constexpr unsigned block_size = 256;
/// Elements that a thread takes at a time: 16 bytes of float.
inline constexpr unsigned chunk_size = 4;
/// The same for images in S: four floats or eight bfloat16.
template <class S>
inline constexpr unsigned chunk_of = 16 / sizeof(S);
/// About as many blocks as a GPU holds at once (H100: 132 multiprocessors of 8): more gain little, and partial sums stay few.
inline constexpr std::size_t max_blocks = 1024;

/// @brief Blocks for n elements. Depends on n alone, so that sums have one order on every GPU.
template <unsigned size = chunk_size>
unsigned blocks_for(std::size_t n) {
  const std::size_t per_block = block_size * size, blocks = (n + per_block - 1) / per_block;
  return static_cast<unsigned>(blocks < 1 ? 1 : blocks < max_blocks ? blocks : max_blocks);
}

/// @brief `size` consecutive elements, all inside and aligned: accesses of 16 bytes (of 4 for four bytes, of 8 for four
/// bfloat16).
template <unsigned size>
struct WholeChunkOf {
  static constexpr bool whole = true;
  std::size_t begin;
};
/// @brief Up to `size` consecutive elements, one by one.
template <unsigned size>
struct PartChunkOf {
  static constexpr bool whole = false;
  std::size_t begin;
  int count;
};
using WholeChunk = WholeChunkOf<chunk_size>;
using PartChunk = PartChunkOf<chunk_size>;

/// `size` values in registers; those outside a part are zero.
template <class T, unsigned size>
struct Values {
  T v[size];
};
template <class T>
using Four = Values<T, chunk_size>;

/// What an element is in registers: bfloat16 is computed with in float.
template <class T>
struct InRegisters {
  using Type = T;
};
template <>
struct InRegisters<Bfloat16> {
  using Type = float;
};

template <unsigned size>
__device__ __forceinline__ Values<float, size> load(const float* p, WholeChunkOf<size> c) {
  Values<float, size> f;
  LACUNA_UNROLL
  for (unsigned k = 0; k < size; k += 4) {
    const float4 four = *reinterpret_cast<const float4*>(p + c.begin + k);
    f.v[k] = four.x;
    f.v[k + 1] = four.y;
    f.v[k + 2] = four.z;
    f.v[k + 3] = four.w;
  }
  return f;
}
template <unsigned size>
__device__ __forceinline__ Values<std::uint8_t, size> load(const std::uint8_t* p, WholeChunkOf<size> c) {
  Values<std::uint8_t, size> b;
  LACUNA_UNROLL
  for (unsigned k = 0; k < size; k += 4) {
    const uchar4 four = *reinterpret_cast<const uchar4*>(p + c.begin + k);
    b.v[k] = four.x;
    b.v[k + 1] = four.y;
    b.v[k + 2] = four.z;
    b.v[k + 3] = four.w;
  }
  return b;
}
__device__ __forceinline__ float low_half(unsigned word) { return std::bit_cast<float>(word << 16); }
__device__ __forceinline__ float high_half(unsigned word) { return std::bit_cast<float>(word & 0xffff0000u); }
__device__ __forceinline__ Values<float, 8> load(const Bfloat16* p, WholeChunkOf<8> c) {
  const uint4 w = *reinterpret_cast<const uint4*>(p + c.begin);
  return {low_half(w.x), high_half(w.x), low_half(w.y), high_half(w.y),
          low_half(w.z), high_half(w.z), low_half(w.w), high_half(w.w)};
}
__device__ __forceinline__ Values<float, 4> load(const Bfloat16* p, WholeChunkOf<4> c) {
  const uint2 w = *reinterpret_cast<const uint2*>(p + c.begin);
  return {low_half(w.x), high_half(w.x), low_half(w.y), high_half(w.y)};
}
template <class T, unsigned size>
__device__ __forceinline__ auto load(const T* p, PartChunkOf<size> c) {
  using Type = typename InRegisters<T>::Type;
  Values<Type, size> f;
  for (int k = 0; k < static_cast<int>(size); ++k)
    f.v[k] = k < c.count ? static_cast<Type>(p[c.begin + static_cast<std::size_t>(k)]) : Type(0);
  return f;
}

template <unsigned size>
__device__ __forceinline__ void store(float* p, WholeChunkOf<size> c, const Values<float, size>& f) {
  LACUNA_UNROLL
  for (unsigned k = 0; k < size; k += 4)
    *reinterpret_cast<float4*>(p + c.begin + k) = make_float4(f.v[k], f.v[k + 1], f.v[k + 2], f.v[k + 3]);
}
/// @brief A word of two, rounded as Bfloat16 rounds.
__device__ __forceinline__ unsigned halves(float low, float high) {
  return Bfloat16(low).bits | static_cast<unsigned>(Bfloat16(high).bits) << 16;
}
__device__ __forceinline__ void store(Bfloat16* p, WholeChunkOf<8> c, const Values<float, 8>& f) {
  *reinterpret_cast<uint4*>(p + c.begin) =
      make_uint4(halves(f.v[0], f.v[1]), halves(f.v[2], f.v[3]), halves(f.v[4], f.v[5]), halves(f.v[6], f.v[7]));
}
__device__ __forceinline__ void store(Bfloat16* p, WholeChunkOf<4> c, const Values<float, 4>& f) {
  *reinterpret_cast<uint2*>(p + c.begin) = make_uint2(halves(f.v[0], f.v[1]), halves(f.v[2], f.v[3]));
}
template <class S, unsigned size>
__device__ __forceinline__ void store(S* p, PartChunkOf<size> c, const Values<float, size>& f) {
  for (int k = 0; k < static_cast<int>(size); ++k)
    if (k < c.count) p[c.begin + static_cast<std::size_t>(k)] = S(f.v[k]);
}

/// @brief 16 bytes as they are, for what is only moved.
__device__ __forceinline__ uint4 load_bits(const void* p) { return *static_cast<const uint4*>(p); }
__device__ __forceinline__ void store_bits(void* p, uint4 bits) { *static_cast<uint4*>(p) = bits; }

/// @brief Whether a pointer allows whole chunks; a null pointer stands for an absent operand and does.
template <unsigned size = chunk_size, class T>
__device__ __forceinline__ bool aligned(const T* p) {
  constexpr std::size_t bytes = size * sizeof(T), access = bytes < 16 ? bytes : 16;
  return reinterpret_cast<std::uintptr_t>(p) % access == 0;
}

/// @brief Calls visit(chunk) for chunks that cover [0, n), each once over the whole grid: whole ones if `wide`, else parts.
template <unsigned size = chunk_size, class Visit>
__device__ __forceinline__ void for_chunks(std::size_t n, bool wide, const Visit& visit) {
  const std::size_t stride = static_cast<std::size_t>(gridDim.x) * block_size * size;
  for (std::size_t i = (static_cast<std::size_t>(blockIdx.x) * block_size + threadIdx.x) * size; i < n; i += stride) {
    if (wide && i + size <= n)
      visit(WholeChunkOf<size>{i});
    else
      visit(PartChunkOf<size>{i, static_cast<int>(n - i < size ? n - i : size)});
  }
}

}  // namespace lacuna::kernels
