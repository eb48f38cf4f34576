// Stands in for the thread sanitizer's library: a file compiled with -fsanitize=thread calls these functions at every access to
// memory, and here the accesses of kernels to buffers are counted. This file itself is compiled without.
#include <cstdint>
#include <utility>

#include "cuda_emulation/buffer.hpp"
#include "cuda_emulation/machine.hpp"
#include "cuda_emulation/traffic/traffic.hpp"

namespace {

cuda_emulation::Traffic total;

bool in_global_memory(const void* p) {
  if (!cuda_emulation::machine.running()) return false;
  for (const auto& range : cuda_emulation::GlobalMemory::ranges)
    if (p >= range.begin && p < range.end) return true;
  return false;
}
void count_read(const void* p, std::size_t bytes) { total.read += in_global_memory(p) ? bytes : 0; }
void count_write(const void* p, std::size_t bytes) { total.written += in_global_memory(p) ? bytes : 0; }

}  // namespace

namespace cuda_emulation {
Traffic take_traffic() { return std::exchange(total, {}); }
}  // namespace cuda_emulation

// The names are the compiler's.
// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming)
extern "C" {
void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_vptr_update(void**, void*) {}
void __tsan_vptr_read(void**) {}
void __tsan_read_range(void* p, std::size_t bytes) { count_read(p, bytes); }
void __tsan_write_range(void* p, std::size_t bytes) { count_write(p, bytes); }

#define LACUNA_ACCESS(bytes)                                           \
  void __tsan_read##bytes(void* p) { count_read(p, bytes); }           \
  void __tsan_write##bytes(void* p) { count_write(p, bytes); }         \
  void __tsan_unaligned_read##bytes(void* p) { count_read(p, bytes); } \
  void __tsan_unaligned_write##bytes(void* p) { count_write(p, bytes); }
LACUNA_ACCESS(1)
LACUNA_ACCESS(2)
LACUNA_ACCESS(4)
LACUNA_ACCESS(8)
LACUNA_ACCESS(16)

// Reference counts of the standard library, which the tests' own code uses.
#define LACUNA_ATOMIC(bits, type)                                                                \
  type __tsan_atomic##bits##_load(const volatile type* p, int) { return __atomic_load_n(p, 5); } \
  void __tsan_atomic##bits##_store(volatile type* p, type v, int) { __atomic_store_n(p, v, 5); } \
  type __tsan_atomic##bits##_fetch_add(volatile type* p, type v, int) { return __atomic_fetch_add(p, v, 5); }
LACUNA_ATOMIC(8, std::uint8_t)
LACUNA_ATOMIC(32, std::uint32_t)
LACUNA_ATOMIC(64, std::uint64_t)
}
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)
