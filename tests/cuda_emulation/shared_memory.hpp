#pragma once

#include <array>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "cuda_emulation/sanitizers.hpp"

namespace cuda_emulation {

/// @brief The shared memory of one block: named variables and the dynamic part, filled with NaN, between poisoned margins.
///
/// Under the thread sanitizer every block of a launch has its own addresses, since one block's variables are no other's.
class SharedMemory {
 public:
  static constexpr std::size_t capacity = 48 * 1024;  ///< bytes of all variables: what a launch gets without asking for more

  void begin_launch(std::size_t dynamic_bytes) { dynamic_bytes_ = dynamic_bytes; }

  void begin_block() {
    if (variables_ && sanitizers::thread) {
      retired_.push_back(std::move(variables_));
      retired_.push_back(std::move(dynamic_));
    }
    if (!variables_ || sanitizers::thread) variables_ = allocate(capacity);
    dynamic_ = dynamic_bytes_ > 0 ? allocate(dynamic_bytes_) : nullptr;  // of its exact size: an overrun is one of the heap
    sanitizers::unpoison(variables_.get(), capacity);
    std::memset(variables_.get(), 0xff, capacity);
    sanitizers::poison(variables_.get(), capacity);
    if (dynamic_) std::memset(dynamic_.get(), 0xff, dynamic_bytes_);
    count_ = 0;
    used_ = 0;
  }

  void end_launch() {
    retired_.clear();
    dynamic_ = nullptr;
    if (sanitizers::thread) variables_ = nullptr;
  }

  /// The variable of this key, the same for every thread of the block; null when the memory is used up. Called by threads.
  CUDA_EMULATION_UNCHECKED void* variable(const void* key, std::size_t bytes) {
    for (int i = 0; i < count_; ++i)
      if (keys_[i] == key) return variables_.get_unchecked() + offsets_[i];
    const std::size_t at = (used_ + margin + alignment - 1) / alignment * alignment;
    if (count_ == max_variables || at + bytes + margin > capacity) return nullptr;
    keys_[count_] = key;
    offsets_[count_++] = at;
    used_ = at + bytes;
    sanitizers::unpoison(variables_.get_unchecked() + at, bytes);
    return variables_.get_unchecked() + at;
  }
  CUDA_EMULATION_UNCHECKED void* dynamic() { return dynamic_.get_unchecked(); }

 private:
  static constexpr std::size_t alignment = 16, margin = 32;
  static constexpr int max_variables = 16;

  /// unique_ptr of malloc's memory whose address can be read without the sanitizer noticing.
  class Memory {
   public:
    Memory(char* p = nullptr) : p_(p) {}  // NOLINT(google-explicit-constructor)
    Memory(Memory&& other) noexcept : p_(other.p_) { other.p_ = nullptr; }
    Memory& operator=(Memory&& other) noexcept {
      char* p = other.p_;
      other.p_ = nullptr;
      std::free(p_);
      p_ = p;
      return *this;
    }
    ~Memory() { std::free(p_); }
    explicit operator bool() const { return p_ != nullptr; }
    char* get() const { return p_; }
    CUDA_EMULATION_UNCHECKED char* get_unchecked() const { return p_; }

   private:
    char* p_;
  };
  static Memory allocate(std::size_t bytes) {
    void* p = nullptr;
    if (posix_memalign(&p, 128, bytes) != 0) throw std::bad_alloc();
    return {static_cast<char*>(p)};
  }

  Memory variables_, dynamic_;
  std::vector<Memory> retired_;
  std::size_t dynamic_bytes_ = 0, used_ = 0;
  const void* keys_[max_variables] = {};
  std::size_t offsets_[max_variables] = {};
  int count_ = 0;
};

}  // namespace cuda_emulation
