#pragma once

#include <cstddef>

// Every difference between plain, address-sanitizer and thread-sanitizer builds of the emulation.
#if defined(__has_feature)
#define CUDA_EMULATION_HAS(feature) __has_feature(feature)
#else
#define CUDA_EMULATION_HAS(feature) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || CUDA_EMULATION_HAS(address_sanitizer)
#define CUDA_EMULATION_ADDRESS 1
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if (defined(__SANITIZE_THREAD__) || CUDA_EMULATION_HAS(thread_sanitizer)) && !defined(CUDA_EMULATION_COUNTS_TRAFFIC)
#define CUDA_EMULATION_THREAD 1
extern "C" {
void* __tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void* fiber);
void* __tsan_get_current_fiber();
void __tsan_switch_to_fiber(void* fiber, unsigned flags);
void __tsan_acquire(void* address);
void __tsan_release(void* address);
}
#endif

/// The scheduler's own reads and writes are no part of the program under test.
#define CUDA_EMULATION_UNCHECKED __attribute__((no_sanitize("thread")))

namespace cuda_emulation::sanitizers {

#ifdef CUDA_EMULATION_THREAD
inline constexpr bool thread = true;
inline void* create_fiber() { return __tsan_create_fiber(0); }
inline void destroy_fiber(void* fiber) { __tsan_destroy_fiber(fiber); }
inline void* current_fiber() { return __tsan_get_current_fiber(); }
CUDA_EMULATION_UNCHECKED inline void switch_to_fiber(void* fiber) { __tsan_switch_to_fiber(fiber, 1); }  // 1: orders nothing
CUDA_EMULATION_UNCHECKED inline void acquire(void* address) { __tsan_acquire(address); }
CUDA_EMULATION_UNCHECKED inline void release(void* address) { __tsan_release(address); }
#else
inline constexpr bool thread = false;
inline void* create_fiber() { return nullptr; }
inline void destroy_fiber(void*) {}
inline void* current_fiber() { return nullptr; }
inline void switch_to_fiber(void*) {}
inline void acquire(void*) {}
inline void release(void*) {}
#endif

#ifdef CUDA_EMULATION_ADDRESS
inline void start_switch(void** save, const void* bottom, std::size_t size) {
  __sanitizer_start_switch_fiber(save, bottom, size);
}
inline void finish_switch(void* saved, const void** bottom, std::size_t* size) {
  __sanitizer_finish_switch_fiber(saved, bottom, size);
}
inline void poison(const void* p, std::size_t bytes) { __asan_poison_memory_region(p, bytes); }
inline void unpoison(const void* p, std::size_t bytes) { __asan_unpoison_memory_region(p, bytes); }
#else
inline void start_switch(void**, const void*, std::size_t) {}
inline void finish_switch(void*, const void**, std::size_t*) {}
inline void poison(const void*, std::size_t) {}
inline void unpoison(const void*, std::size_t) {}
#endif

}  // namespace cuda_emulation::sanitizers
