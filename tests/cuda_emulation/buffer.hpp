#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>
#include <vector>

#include "cuda_emulation/sanitizers.hpp"

namespace cuda_emulation {

/// @brief Address ranges that count as global memory: those of the buffers alive.
struct GlobalMemory {
  struct Range {
    const char *begin, *end;
  };
  static inline std::vector<Range> ranges;
};

/// @brief "Device memory" of a test: `size` elements that begin `offset` elements past a 256-byte boundary, between margins.
///
/// The margins hold a pattern, and are poisoned under the address sanitizer. An offset of one float makes every pointer
/// unaligned for 16-byte access.
template <class T>
class Buffer {
 public:
  explicit Buffer(const std::vector<T>& content, std::size_t offset = 0) : Buffer(content.size(), offset) {
    std::copy(content.begin(), content.end(), data_);
  }
  /// Filled with the pattern: what a kernel fails to write shows.
  explicit Buffer(std::size_t size, std::size_t offset = 0) : size_(size), bytes_((size + offset) * sizeof(T) + 2 * margin) {
    void* p = nullptr;
    if (posix_memalign(&p, 256, bytes_) != 0) throw std::bad_alloc();
    base_ = static_cast<char*>(p);
    std::memset(base_, pattern, bytes_);
    data_ = reinterpret_cast<T*>(base_ + margin) + offset;
    sanitizers::poison(base_, static_cast<std::size_t>(begin() - base_));
    sanitizers::poison(end(), static_cast<std::size_t>(base_ + bytes_ - end()));
    GlobalMemory::ranges.push_back({begin(), end()});
  }
  ~Buffer() {
    std::erase_if(GlobalMemory::ranges, [&](const auto& range) { return range.begin == begin(); });
    sanitizers::unpoison(base_, bytes_);
    std::free(base_);
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  operator T*() const { return data_; }  // NOLINT(google-explicit-constructor): stands for a device pointer
  T* data() const { return data_; }
  std::size_t size() const { return size_; }
  T& operator[](std::size_t i) const { return data_[i]; }
  std::vector<T> content() const { return {data_, data_ + size_}; }

  /// Whether nothing was written outside.
  bool intact() const {
    sanitizers::unpoison(base_, bytes_);
    const auto untouched = [](char c) { return c == static_cast<char>(pattern); };
    const bool fine = std::all_of(static_cast<const char*>(base_), begin(), untouched) &&
                      std::all_of(end(), static_cast<const char*>(base_) + bytes_, untouched);
    sanitizers::poison(base_, static_cast<std::size_t>(begin() - base_));
    sanitizers::poison(end(), static_cast<std::size_t>(base_ + bytes_ - end()));
    return fine;
  }

 private:
  static constexpr std::size_t margin = 256;
  static constexpr int pattern = 0x5a;
  const char* begin() const { return reinterpret_cast<const char*>(data_); }
  const char* end() const { return begin() + size_ * sizeof(T); }

  std::size_t size_, bytes_;
  char* base_ = nullptr;
  T* data_ = nullptr;
};

}  // namespace cuda_emulation
