#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <stdexcept>

#include "cuda_emulation/sanitizers.hpp"

#if !defined(__x86_64__)
#error "The emulation of CUDA switches stacks in x86-64 assembly; other processors need their own switch_stacks()"
#endif

namespace cuda_emulation {

/// Saves the callee-saved registers and the stack pointer, and goes on where the other stack left off.
__attribute__((naked, noinline)) inline void switch_stacks(void** /*save*/, void* /*to*/) {
  asm volatile(
      "pushq %rbp\n pushq %rbx\n pushq %r12\n pushq %r13\n pushq %r14\n pushq %r15\n"
      "movq %rsp, (%rdi)\n movq %rsi, %rsp\n"
      "popq %r15\n popq %r14\n popq %r13\n popq %r12\n popq %rbx\n popq %rbp\n ret\n");
}

/// The stack that resumes all fibers.
struct Scheduler {
  void* stack = nullptr;
  void* fake_stack = nullptr;
  const void* bottom = nullptr;
  std::size_t size = 0;
  void* thread_context = nullptr;
};

/// @brief A stack of its own that the scheduler resumes and that hands back by suspend(): one per CUDA thread.
///
/// All fibers belong to one scheduler, the stack that calls resume(). They share no state but through it.
class Fiber {
 public:
  Fiber() {
    void* range = mmap(nullptr, guard + size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (range == MAP_FAILED) throw std::runtime_error("cuda emulation: no memory for the stack of a thread");
    mprotect(range, guard, PROT_NONE);
    bottom_ = static_cast<char*>(range) + guard;
    thread_context_ = sanitizers::create_fiber();
  }
  ~Fiber() {
    sanitizers::destroy_fiber(thread_context_);
    sanitizers::unpoison(bottom_, size);
    munmap(bottom_ - guard, guard + size);
  }
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  /// The next resume() calls entry(), which must end in finish().
  CUDA_EMULATION_UNCHECKED void start(void (*entry)()) {
    void** top = reinterpret_cast<void**>(bottom_ + size);
    *--top = nullptr;  // entry's return address: it never returns
    *--top = reinterpret_cast<void*>(entry);
    for (int saved_register = 0; saved_register < 6; ++saved_register) *--top = nullptr;
    stack_ = top;
  }

  /// Called by the scheduler.
  CUDA_EMULATION_UNCHECKED void resume() {
    scheduler_context() = sanitizers::current_fiber();
    sanitizers::start_switch(&scheduler().fake_stack, bottom_, size);
    sanitizers::switch_to_fiber(thread_context_);
    switch_stacks(&scheduler().stack, stack_);
    sanitizers::finish_switch(scheduler().fake_stack, nullptr, nullptr);
  }

  /// First call of entry().
  CUDA_EMULATION_UNCHECKED static void arrive() { sanitizers::finish_switch(nullptr, &scheduler().bottom, &scheduler().size); }

  /// Called on the fiber itself: back to the scheduler until the next resume().
  CUDA_EMULATION_UNCHECKED void suspend() {
    sanitizers::release(this);
    leave(&fake_stack_);
    sanitizers::finish_switch(fake_stack_, &scheduler().bottom, &scheduler().size);
  }

  /// Called by the scheduler on a fiber that it will not resume: what the fiber did comes before what follows.
  void abandon() { sanitizers::acquire(this); }

  /// Called on the fiber itself, as its last act.
  [[noreturn]] CUDA_EMULATION_UNCHECKED void finish() {
    leave(nullptr);
    __builtin_trap();
  }

 private:
  static constexpr std::size_t guard = 4096, size = 128 * 1024;

  static inline Scheduler scheduler_;
  CUDA_EMULATION_UNCHECKED static Scheduler& scheduler() { return scheduler_; }
  CUDA_EMULATION_UNCHECKED static void*& scheduler_context() { return scheduler_.thread_context; }

  CUDA_EMULATION_UNCHECKED void leave(void** save_fake_stack) {
    sanitizers::start_switch(save_fake_stack, scheduler().bottom, scheduler().size);
    sanitizers::switch_to_fiber(scheduler_context());
    switch_stacks(&stack_, scheduler().stack);
  }

  char* bottom_ = nullptr;
  void* stack_ = nullptr;
  void* fake_stack_ = nullptr;
  void* thread_context_ = nullptr;
};

}  // namespace cuda_emulation
