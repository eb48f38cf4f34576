#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "cuda_emulation/fiber.hpp"
#include "cuda_emulation/sanitizers.hpp"
#include "cuda_emulation/shared_memory.hpp"
#include "cuda_emulation/types.hpp"

inline uint3 threadIdx, blockIdx;
inline dim3 blockDim, gridDim;

namespace cuda_emulation {

/// @brief The kernel broke a rule of the execution model: a barrier that not all reach, a warp operation that cannot complete.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// @brief Order in which blocks run, and in which the threads of a block run between two barriers.
enum class Order { forward, reverse, random };

inline constexpr unsigned warp_size = 32;

/// @brief Runs kernels: one fiber per CUDA thread, one block after the other.
///
/// A thread runs until it waits (at a barrier or a warp operation) or ends; then the scheduler goes on with the next. What
/// threads wait for is decided here, on the scheduler's stack, so a thread changes nothing but its own record.
/// The thread sanitizer sees a block's threads as unordered except by barriers, and all blocks as unordered.
class Machine {
 public:
  Order order = Order::forward;
  unsigned seed = 1;  ///< of the random order

  /// Throws Error where a GPU would refuse such a launch.
  static void check(dim3 grid, dim3 block, std::size_t dynamic_shared) {
    const unsigned threads = block.x * block.y * block.z;
    if (threads == 0 || threads > max_threads) throw Error("a block of " + std::to_string(threads) + " threads");
    if (grid.x == 0 || grid.y == 0 || grid.z == 0 || grid.y > 65535 || grid.z > 65535) throw Error("a grid of this size");
    if (dynamic_shared > SharedMemory::capacity) throw Error("too much dynamic shared memory");
  }

  /// Runs body() as every thread of every block. Throws Error; the memory that the kernel wrote keeps what it has by then.
  void run(dim3 grid, dim3 block, std::size_t dynamic_shared, const std::function<void()>& body) {
    begin(grid, block, dynamic_shared, body);
    const auto blocks = permutation(static_cast<unsigned>(grid.x * grid.y * grid.z));
    try {
      for (const unsigned b : blocks) {
        set_block({b % grid.x, b / grid.x % grid.y, b / (grid.x * grid.y)});
        run_block();
      }
    } catch (...) {
      for (auto& threads : threads_) {  // those that stopped half-way are of no use any more
        for (auto& thread : threads) thread->fiber.abandon();
        threads.clear();
      }
      end();
      throw;
    }
    end();
  }

  // What follows is called by threads.

  CUDA_EMULATION_UNCHECKED void barrier(const char* file, int line) {
    Thread* thread = current_;
    thread->wait = Wait::barrier;
    thread->file = file;
    thread->line = line;
    char* order_point = order_points_ + 8 * (thread->barriers++ & 1u);
    sanitizers::release(order_point);
    thread->fiber.suspend();
    sanitizers::acquire(order_point);
  }

  /// All lanes of the mask give a value and see those of all, by lane; lanes outside the mask show all bits set (NaN).
  /// `orders` makes it a synchronisation point for memory (__syncwarp); shuffles are none.
  CUDA_EMULATION_UNCHECKED const std::uint64_t* exchange(unsigned mask, std::uint64_t value, const char* operation, bool orders,
                                                         const char* file, int line) {
    Thread* thread = current_;
    thread->wait = Wait::exchange;
    thread->mask = mask;
    thread->value = value;
    thread->operation = operation;
    thread->file = file;
    thread->line = line;
    // One point per warp and kind of mask (by its lowest lane), in turns, so that a late lane does not meet an early one's next.
    const unsigned slot = (thread->linear / warp_size * warp_size + lowest(mask)) * 2 + ((orders ? thread->meetings++ : 0u) & 1u);
    char* order_point = order_points_ + 8 * (2 + slot);
    if (orders) sanitizers::release(order_point);
    thread->fiber.suspend();
    if (orders) sanitizers::acquire(order_point);
    return thread->answers;
  }

  /// The block's variable of this key; the threads that ask get the same.
  CUDA_EMULATION_UNCHECKED void* shared_variable(const void* key, std::size_t bytes, const char* file, int line) {
    void* variable = shared_.variable(key, bytes);
    if (variable != nullptr) return variable;
    current_->wait = Wait::stopped;
    current_->operation = "asks for more shared memory than there is";
    current_->file = file;
    current_->line = line;
    current_->fiber.suspend();
    __builtin_trap();  // never resumed
  }
  CUDA_EMULATION_UNCHECKED void* dynamic_shared() { return shared_.dynamic(); }

  CUDA_EMULATION_UNCHECKED unsigned lane() const { return current_->linear % warp_size; }
  CUDA_EMULATION_UNCHECKED bool running() const { return current_ != nullptr; }

 private:
  static constexpr unsigned max_threads = 1024;

  enum class Wait : std::uint8_t { none, barrier, exchange, finished, stopped };
  struct Thread {
    Fiber fiber;
    uint3 index{};
    unsigned linear = 0, barriers = 0, meetings = 0, mask = 0;
    Wait wait = Wait::none;
    std::uint64_t value = 0;
    const char *operation = nullptr, *file = nullptr;
    int line = 0;
    std::uint64_t answers[warp_size] = {};
  };

  static unsigned lowest(unsigned mask) { return mask == 0 ? 0 : static_cast<unsigned>(__builtin_ctz(mask)); }

  void begin(dim3 grid, dim3 block, std::size_t dynamic_shared, const std::function<void()>& body) {
    check(grid, block, dynamic_shared);
    count_ = block.x * block.y * block.z;
    gridDim = grid;
    blockDim = block;
    body_ = &body;
    random_.seed(seed);
    shared_.begin_launch(dynamic_shared);
    for (unsigned set = 0; set < (sanitizers::thread ? 2u : 1u); ++set) {
      auto& threads = threads_[set];
      while (threads.size() < count_) threads.push_back(std::make_unique<Thread>());
      for (unsigned i = 0; i < count_; ++i) {
        threads[i]->linear = i;
        threads[i]->index = {i % block.x, i / block.x % block.y, i / (block.x * block.y)};
      }
    }
  }

  void end() {
    sanitizers::acquire(&end_point_);
    current_ = nullptr;
    shared_.end_launch();
    order_storage_.clear();
  }

  CUDA_EMULATION_UNCHECKED static void set_block(uint3 index) { blockIdx = index; }

  std::vector<unsigned> permutation(unsigned size) {
    std::vector<unsigned> p(size);
    for (unsigned i = 0; i < size; ++i) p[i] = order == Order::reverse ? size - 1 - i : i;
    if (order == Order::random) std::shuffle(p.begin(), p.end(), random_);
    return p;
  }

  void run_block() {
    // Two sets of fibers in turn, and order points of its own: nothing orders this block's threads after the last one's.
    set_ = sanitizers::thread ? 1 - set_ : 0;
    if (sanitizers::thread || order_storage_.empty())
      order_storage_.push_back(std::make_unique<char[]>(8 * (2 + 2 * max_threads)));
    order_points_ = order_storage_.back().get();
    shared_.begin_block();
    auto& threads = threads_[set_];
    for (unsigned i = 0; i < count_; ++i) {
      threads[i]->wait = Wait::none;
      threads[i]->barriers = threads[i]->meetings = 0;
      threads[i]->fiber.start(&enter);
    }
    sanitizers::release(&begin_point_);
    for (;;) {
      const bool ran = run_ready();
      if (finished_ == count_) break;
      const bool answered = complete_exchanges();
      if (!answered && !ran) fail_stuck();
      if (!answered) complete_barrier();
    }
  }

  /// Lets every thread that waits for nothing run on.
  bool run_ready() {
    bool ran = false;
    auto& threads = threads_[set_];
    for (const unsigned i : permutation(count_)) {
      if (threads[i]->wait != Wait::none) continue;
      ran = true;
      go_on(*threads[i]);
      if (threads[i]->wait == Wait::stopped) fail(*threads[i], threads[i]->operation);
    }
    finished_ = 0;
    for (unsigned i = 0; i < count_; ++i) finished_ += threads[i]->wait == Wait::finished ? 1u : 0u;
    return ran;
  }

  CUDA_EMULATION_UNCHECKED void go_on(Thread& thread) {
    current_ = &thread;
    threadIdx = thread.index;
    thread.fiber.resume();
    current_ = nullptr;
  }

  static void enter();
  CUDA_EMULATION_UNCHECKED void thread_main() {
    Fiber::arrive();
    sanitizers::acquire(&begin_point_);
    call_body();
    sanitizers::release(&end_point_);
    Thread* thread = current_;
    thread->wait = Wait::finished;
    thread->fiber.finish();
  }
  void call_body() const { (*body_)(); }

  /// Answers every group of lanes that wait for each other; whether there was one.
  bool complete_exchanges() {
    bool any = false;
    auto& threads = threads_[set_];
    for (unsigned i = 0; i < count_; ++i) {
      const Thread& first = *threads[i];
      if (first.wait != Wait::exchange) continue;
      if ((first.mask >> (i % warp_size) & 1u) == 0) fail(first, "names a mask without its own lane");
      const unsigned warp = i / warp_size * warp_size;
      unsigned arrived = 0;
      for (unsigned l = 0; l < warp_size && warp + l < count_; ++l) {
        const Thread& t = *threads[warp + l];
        if (t.wait == Wait::exchange && t.mask == first.mask) arrived |= 1u << l;
      }
      if (arrived != first.mask) continue;
      answer(warp, first);
      any = true;
    }
    return any;
  }

  void answer(unsigned warp, const Thread& first) {
    auto& threads = threads_[set_];
    const unsigned mask = first.mask;
    std::uint64_t values[warp_size];
    std::fill_n(values, warp_size, ~std::uint64_t{0});
    for (unsigned l = 0; l < warp_size; ++l) {
      if ((mask >> l & 1u) == 0) continue;
      const Thread& t = *threads[warp + l];
      if (std::string_view(t.operation) != first.operation) fail(t, "meets another warp operation of the same mask");
      values[l] = t.value;
    }
    for (unsigned l = 0; l < warp_size; ++l) {
      if ((mask >> l & 1u) == 0) continue;
      std::copy_n(values, warp_size, threads[warp + l]->answers);
      threads[warp + l]->wait = Wait::none;
    }
  }

  /// Releases the barrier when every thread of the block waits at the same one.
  void complete_barrier() {
    auto& threads = threads_[set_];
    const Thread* first = nullptr;
    unsigned waiting = 0;
    for (unsigned i = 0; i < count_; ++i) {
      const Thread& t = *threads[i];
      if (t.wait != Wait::barrier) continue;
      ++waiting;
      if (first == nullptr) first = &t;
      if (t.line != first->line || std::string_view(t.file) != first->file) fail(t, "meets threads at another barrier");
    }
    if (waiting == 0) return;
    if (waiting != count_) fail(*first, "waits at a barrier that not every thread of the block reaches");
    for (unsigned i = 0; i < count_; ++i) threads[i]->wait = Wait::none;
  }

  [[noreturn]] void fail_stuck() const {
    for (unsigned i = 0; i < count_; ++i) {
      const Thread& t = *threads_[set_][i];
      if (t.wait == Wait::exchange) fail(t, "waits for lanes that do not come");
    }
    throw Error("no thread can go on");
  }

  [[noreturn]] static void fail(const Thread& t, const std::string& what) {
    const auto place = [](uint3 i) { return std::to_string(i.x) + "," + std::to_string(i.y) + "," + std::to_string(i.z); };
    throw Error("block " + place(blockIdx) + " thread " + place(t.index) + " " + what + " (" + t.file + ":" +
                std::to_string(t.line) + ")");
  }

  std::vector<std::unique_ptr<Thread>> threads_[2];
  std::vector<std::unique_ptr<char[]>> order_storage_;
  char* order_points_ = nullptr;
  char begin_point_ = 0, end_point_ = 0;
  Thread* current_ = nullptr;
  const std::function<void()>* body_ = nullptr;
  SharedMemory shared_;
  std::mt19937 random_;
  unsigned count_ = 0, finished_ = 0, set_ = 0;
};

/// The one machine that kernels run on: CUDA's built-in variables and functions name no object.
inline Machine machine;

inline void Machine::enter() { machine.thread_main(); }

}  // namespace cuda_emulation
