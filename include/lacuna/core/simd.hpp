#pragma once

#include <cstdint>
#include <cstring>
#include <limits>

#include "lacuna/core/bfloat16.hpp"

// The vector types pass between inlined functions only, so their calling convention, about which GCC warns, does not matter. GCC
// judges at the end of the translation unit: a pop here would bring the warning back.
#pragma GCC diagnostic ignored "-Wpsabi"

/// Functions inside a kernel must be inlined, so that they are compiled for the kernel's instruction set.
#define LACUNA_INLINE __attribute__((always_inline)) inline

namespace lacuna::simd {

/// @brief Sixteen floats, as the compiler's vector extension: one register with AVX-512, two with AVX2, four with SSE.
/// Lanes and summation order are the same on every machine, so results differ by fused multiply-adds only.
inline constexpr int lanes = 16;
using Floats = float __attribute__((vector_size(64)));
using Ints = std::int32_t __attribute__((vector_size(64)));

LACUNA_INLINE Floats load(const float* p) {
  Floats v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
/// @brief Sixteen bytes, widened.
LACUNA_INLINE Ints load_bytes(const std::uint8_t* p) {
  using Bytes = std::int8_t __attribute__((vector_size(16)));
  using Shorts = std::int16_t __attribute__((vector_size(32)));
  Bytes bytes;
  std::memcpy(&bytes, p, sizeof bytes);
  return __builtin_convertvector(__builtin_convertvector(bytes, Shorts), Ints);  // GCC 12 takes one step at a time
}
/// @brief All bits of a lane are its sign: the mask of x < 0, -0 and NaN of that sign included.
/// Where a vector is wider than a register, GCC takes comparisons apart lane by lane, so masks are made by shifts.
LACUNA_INLINE Ints sign_mask(const Floats& x) { return __builtin_bit_cast(Ints, x) >> 31; }
/// @brief a where all bits of the mask are set, b where none is.
LACUNA_INLINE Floats blend(const Ints& mask, const Floats& a, const Floats& b) {
  return __builtin_bit_cast(Floats, (mask & __builtin_bit_cast(Ints, a)) | (~mask & __builtin_bit_cast(Ints, b)));
}
/// @brief where(choice != 0, a, b) by lane.
LACUNA_INLINE Floats select(const Ints& choice, const Floats& a, const Floats& b) {
  return blend((choice | -choice) >> 31, a, b);
}
LACUNA_INLINE Floats magnitude(const Floats& x) { return __builtin_bit_cast(Floats, __builtin_bit_cast(Ints, x) & 0x7fffffff); }
LACUNA_INLINE void store(float* p, const Floats& v) { std::memcpy(p, &v, sizeof v); }
/// @brief Sixteen bfloat16, widened.
LACUNA_INLINE Floats load(const Bfloat16* p) {
  using Halves = std::uint16_t __attribute__((vector_size(32)));
  Halves halves;
  std::memcpy(&halves, p, sizeof halves);
  return __builtin_bit_cast(Floats, __builtin_convertvector(halves, Ints) << 16);
}
/// @brief Rounds as Bfloat16 does.
LACUNA_INLINE void store(Bfloat16* p, const Floats& v) {
  using Halves = std::uint16_t __attribute__((vector_size(32)));
  using Words = std::uint32_t __attribute__((vector_size(64)));
  const Ints x = __builtin_bit_cast(Ints, v), nan = (0x7f800000 - __builtin_bit_cast(Ints, magnitude(v))) >> 31;
  const Words rounded = __builtin_bit_cast(Words, x) + 0x7fffu + (__builtin_bit_cast(Words, x) >> 16 & 1u);
  const Words chosen = __builtin_bit_cast(Words, (nan & (x | 0x00400000)) | (~nan & __builtin_bit_cast(Ints, rounded)));
  const Halves halves = __builtin_convertvector(chosen >> 16, Halves);
  std::memcpy(p, &halves, sizeof halves);
}
LACUNA_INLINE Floats broadcast(float x) { return Floats{} + x; }
/// @brief All lanes 0. Kernels begin their sums with it: nvcc 13.0 has no code for a variable that is `Floats{}`.
LACUNA_INLINE Floats zero() { return broadcast(0.0f); }

/// @brief Sum of the lanes by halving: a fixed tree.
LACUNA_INLINE float sum(const Floats& v) {
  using Eight = float __attribute__((vector_size(32)));
  using Four = float __attribute__((vector_size(16)));
  Eight a, b;
  std::memcpy(&a, &v, 32);
  std::memcpy(&b, reinterpret_cast<const char*>(&v) + 32, 32);
  a += b;
  Four c, d;
  std::memcpy(&c, &a, 16);
  std::memcpy(&d, reinterpret_cast<const char*>(&a) + 16, 16);
  c += d;
  return (c[0] + c[2]) + (c[1] + c[3]);
}

/// @brief Sums squares in double, lane by lane, so that neither range nor order depends on the instruction set.
class SquareSum {
 public:
  LACUNA_INLINE void add(const Floats& v) {
    using Eight = float __attribute__((vector_size(32)));
    Eight half[2];
    std::memcpy(half, &v, sizeof v);
    const Doubles low = __builtin_convertvector(half[0], Doubles), high = __builtin_convertvector(half[1], Doubles);
    low_ += low * low;
    high_ += high * high;
  }
  LACUNA_INLINE double total() const {
    const Doubles s = low_ + high_;
    return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
  }

 private:
  using Doubles = double __attribute__((vector_size(64)));
  LACUNA_INLINE static Doubles broadcast(double x) { return Doubles{} + x; }
  Doubles low_ = broadcast(0.0), high_ = broadcast(0.0);
};

/// @brief sqrt(x) for finite x >= 0, about 2 ulp; denormals come out too small, or as 0. NaN in gives NaN out.
///
/// Three Newton steps towards 1 / sqrt(x) from the exponent's half: the compilers' vector extensions have no square root.
LACUNA_INLINE Floats sqrt(const Floats& x) {
  Floats y = __builtin_bit_cast(Floats, 0x5f375a86 - (__builtin_bit_cast(Ints, x) >> 1));
  const Floats half = x * 0.5f;
  y = y * (1.5f - half * y * y);
  y = y * (1.5f - half * y * y);
  y = y * (1.5f - half * y * y);
  return x * y;
}

/// @brief exp(x), about 2 ulp, clamped to |x| <= 87 (Cephes' polynomial); NaN in gives NaN out.
LACUNA_INLINE Floats exp(const Floats& argument) {
  const Floats size = magnitude(argument), within = blend(sign_mask(87.0f - size), broadcast(87.0f), size);
  const Ints sign = __builtin_bit_cast(Ints, argument) & std::numeric_limits<std::int32_t>::min();
  const Floats x = __builtin_bit_cast(Floats, __builtin_bit_cast(Ints, within) | sign);
  Floats n = x * 1.44269504f + 12582912.0f;  // rounds to the nearest integer
  const Floats power = __builtin_bit_cast(Floats, (__builtin_bit_cast(Ints, n) << 23) + 0x3f800000);  // 2^n
  n -= 12582912.0f;
  Floats r = x - n * 0.693359375f;
  r = r + n * 2.12194440e-4f;
  Floats p = r * 1.9875691500e-4f + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  return p * power;
}

LACUNA_INLINE Floats sigmoid(const Floats& x) { return 1.0f / (1.0f + exp(-x)); }

/// @brief The best instruction set this machine has among those that kernels are compiled for.
enum class Level { baseline, v3, v4 };

inline Level level() {
#if defined(__x86_64__)
  static const Level best = [] {
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512dq"))
      return Level::v4;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return Level::v3;
    return Level::baseline;
  }();
  return best;
#else
  return Level::baseline;
#endif
}

/// @brief Whether this machine multiplies bfloat16 in hardware.
inline bool has_bfloat16() {
#if defined(__x86_64__)
  static const bool has = __builtin_cpu_supports("avx512bf16") != 0;
  return has && level() == Level::v4;
#else
  return false;
#endif
}

#if defined(__x86_64__)
template <class Kernel, class... Arguments>
__attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx2,fma"))) void run_v4(const Kernel& kernel, Arguments... arguments) {
  kernel(arguments...);
}
template <class Kernel, class... Arguments>
__attribute__((target("avx2,fma"))) void run_v3(const Kernel& kernel, Arguments... arguments) {
  kernel(arguments...);
}
#endif
template <class Kernel, class... Arguments>
void run_baseline(const Kernel& kernel, Arguments... arguments) {
  kernel(arguments...);
}

/// @brief Runs kernel(arguments...) compiled for this machine, whatever flags the including program is built with.
///
/// A kernel is a lambda marked LACUNA_KERNEL, whose callees are LACUNA_INLINE: it is inlined into one function per
/// instruction set, so neither auto-vectorisation nor -march decides its speed.
template <class Kernel, class... Arguments>
void run(const Kernel& kernel, Arguments... arguments) {
#if defined(__x86_64__)
  switch (level()) {
    case Level::v4: return run_v4(kernel, arguments...);
    case Level::v3: return run_v3(kernel, arguments...);
    case Level::baseline: break;
  }
#endif
  run_baseline(kernel, arguments...);
}

}  // namespace lacuna::simd

#define LACUNA_KERNEL __attribute__((always_inline))
