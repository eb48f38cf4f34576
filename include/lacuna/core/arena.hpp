#pragma once

#include <sys/mman.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "lacuna/core/error.hpp"

#if defined(__SANITIZE_ADDRESS__)
#define LACUNA_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LACUNA_ADDRESS_SANITIZER 1
#endif
#endif
#ifdef LACUNA_ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>
#endif

namespace lacuna {

/// @brief More was asked of an arena than it has.
class ArenaFull : public Error {
 public:
  using Error::Error;
};

/// @brief Memory for one step: a bump pointer with free lists per size, over one reserved address range.
///
/// Blocks are 64-byte aligned. The same sequence of take() and give() yields the same addresses after each reset(), so the
/// second step repeats the first's. Pages are committed by the system when they are first touched: a dry run that only takes
/// and gives costs no memory and leaves its size in high_water().
/// An arena of capacity 0 only counts: it reserves nothing and lends addresses that no memory is behind, as many as are asked
/// for. It serves dry runs, where a system that limits address space must not limit what can be planned.
/// An arena may also deal out memory that is someone else's, a GPU's for example, whose contents it never touches.
/// Where the system grants less address space than the capacity (ulimit -v), the arena takes a quarter to a half of what it
/// would. Under the address sanitizer every block has a poisoned margin, and given-back blocks are poisoned. Throws: ArenaFull
/// when the reserved range is used up. Not thread-safe: taken and given by the thread that issues the ops.
class Arena {
 public:
  static constexpr std::size_t alignment = 64;

  explicit Arena(std::size_t capacity) : capacity_(round_up(capacity)) {
    if (capacity == 0) {
      base_ = reinterpret_cast<std::byte*>(std::uintptr_t{1} << 55);  // no system maps anything there: a touch is a fault
      capacity_ = std::size_t{1} << 54;
      return;
    }
    counts_only_ = false;
    constexpr std::size_t least = std::size_t{1} << 20;
    void* range = reserve(capacity_);
    while (range == MAP_FAILED && capacity_ > least) range = reserve(capacity_ = round_up(capacity_ / 2));
    require(range != MAP_FAILED, "Arena: the system grants no ", capacity_ >> 10, " KiB of address space (of ", capacity >> 20,
            " MiB asked for; see ulimit -v)");
    limited_ = capacity_ < capacity;
    if (limited_) {  // others need some of it too
      munmap(range, capacity_);
      range = reserve(capacity_ = round_up(capacity_ / 2));
      require(range != MAP_FAILED, "Arena: the system grants no ", capacity_ >> 10, " KiB of address space any more");
    }
    base_ = static_cast<std::byte*>(range);
    madvise(base_, capacity_, MADV_HUGEPAGE);
  }
  /// Over `bytes` at an aligned address, which must outlive the arena. Blocks are not poisoned: what was enqueued on a device may
  /// use them after they are given back.
  Arena(void* memory, std::size_t bytes)
      : borrowed_(true), base_(static_cast<std::byte*>(memory)), capacity_(bytes / alignment * alignment) {}
  ~Arena() {
    if (counts_only_ || borrowed_) return;
    unpoison(base_, high_water_);
    munmap(base_, capacity_);
  }
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  void* take(std::size_t bytes) {
    bytes = round_up(std::max<std::size_t>(bytes, 1));
    auto& list = free_list(bytes);
    if (!list.blocks.empty()) {
      void* block = list.blocks.back();
      list.blocks.pop_back();
      live_ += bytes;
      unpoison(block, bytes);
      return block;
    }
    require<ArenaFull>(bytes <= capacity_ - margin && used_ <= capacity_ - margin - bytes, "Arena: asked for ", bytes >> 20,
                       " MiB with ", used_ >> 20, " MiB in use of ", capacity_ >> 20,
                       limited_ ? " MiB, all the address space that the system granted (see ulimit -v)" : " MiB",
                       "; use a smaller batch, crop or network");
    std::byte* block = base_ + used_;
    used_ += bytes + margin;
    live_ += bytes;
    high_water_ = std::max(high_water_, used_);
    unpoison(block, bytes);
    poison(block + bytes, margin);
    return block;
  }

  /// Returns a block of `bytes` (the size it was taken with) for the next take() of that size.
  void give(void* block, std::size_t bytes) {
    bytes = round_up(std::max<std::size_t>(bytes, 1));
    live_ -= bytes;
    poison(block, bytes);
    free_list(bytes).blocks.push_back(block);
  }

  template <class T>
  T* take_array(std::size_t count) {
    return static_cast<T*>(take(count * sizeof(T)));
  }
  template <class T>
  void give_array(T* block, std::size_t count) {
    give(block, count * sizeof(T));
  }

  /// Forgets every block.
  void reset() {
    used_ = live_ = 0;
    for (auto& list : lists_) list.blocks.clear();
    poison(base_, high_water_);
  }

  /// Forgets every block and hands the committed pages back to the system; high_water() starts anew.
  void release() {
    reset();
    unpoison(base_, high_water_);
    if (!counts_only_ && !borrowed_) madvise(base_, high_water_, MADV_DONTNEED);
    high_water_ = 0;
  }

  std::size_t capacity() const { return capacity_; }      ///< bytes of address space
  std::size_t high_water() const { return high_water_; }  ///< most bytes ever spanned: the memory that gets committed
  std::size_t live() const { return live_; }              ///< bytes taken and not given back

 private:
  struct FreeList {
    std::size_t bytes;
    std::vector<void*> blocks;
  };

#ifdef LACUNA_ADDRESS_SANITIZER
  static constexpr std::size_t margin = alignment;
  void poison(void* p, std::size_t n) const {
    if (!counts_only_ && !borrowed_) __asan_poison_memory_region(p, n);
  }
  void unpoison(void* p, std::size_t n) const {
    if (!counts_only_ && !borrowed_) __asan_unpoison_memory_region(p, n);
  }
#else
  static constexpr std::size_t margin = 0;
  static void poison(void*, std::size_t) {}
  static void unpoison(void*, std::size_t) {}
#endif

  static void* reserve(std::size_t bytes) {
    return mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  }
  static std::size_t round_up(std::size_t bytes) { return (bytes + alignment - 1) / alignment * alignment; }

  FreeList& free_list(std::size_t bytes) {
    for (auto& list : lists_)
      if (list.bytes == bytes) return list;
    lists_.push_back({bytes, {}});
    return lists_.back();
  }

  bool counts_only_ = true, borrowed_ = false, limited_ = false;
  std::byte* base_ = nullptr;
  std::size_t capacity_, used_ = 0, live_ = 0, high_water_ = 0;
  std::vector<FreeList> lists_;
};

}  // namespace lacuna
