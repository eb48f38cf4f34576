// Preloaded into a program: makes one call of the system fail, or from one call on all of them.
//
// ROBUSTNESS_FAULT="KIND HOW N": the N-th call of KIND after the start of main, counted from 1.
//   KIND: new, allocate (malloc and its kin), mmap, write, read, fsync, rename
//   HOW:  once, always (from the N-th on); of write and read also short, EINTR; of write ENOSPC, EIO
// Allocations count where the program itself asks for them: what its libraries do without memory is theirs.

#include <dlfcn.h>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

namespace {

struct Fault {
  char kind[16] = "", how[16] = "";
  long at = 0;
  std::atomic<long> calls{0};
  std::atomic<bool> armed{false};
  std::uintptr_t program_begin = 0, program_end = 0;
};
Fault fault;

int find_program(dl_phdr_info* info, std::size_t, void*) {
  fault.program_begin = UINTPTR_MAX;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& part = info->dlpi_phdr[i];
    if (part.p_type != PT_LOAD) continue;
    const std::uintptr_t begin = info->dlpi_addr + part.p_vaddr;
    if (begin < fault.program_begin) fault.program_begin = begin;
    if (begin + part.p_memsz > fault.program_end) fault.program_end = begin + part.p_memsz;
  }
  return 1;  // the program is the first
}

bool from_program(const void* caller) {
  const auto address = reinterpret_cast<std::uintptr_t>(caller);
  return address >= fault.program_begin && address < fault.program_end;
}

/// Whether this call of `kind` is the one to fail.
bool strikes(const char* kind) {
  if (!fault.armed || std::strcmp(kind, fault.kind) != 0) return false;
  const long call = ++fault.calls;
  return call == fault.at || (call > fault.at && std::strcmp(fault.how, "always") == 0);
}

template <class Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

int reason_of_failure() {
  if (std::strcmp(fault.how, "EIO") == 0) return EIO;
  if (std::strcmp(fault.how, "EINTR") == 0) return EINTR;
  return ENOSPC;
}

using Main = int (*)(int, char**, char**);
Main real_main = nullptr;

int armed_main(int count, char** words, char** environment) {
  if (const char* what = std::getenv("ROBUSTNESS_FAULT")) {
    dl_iterate_phdr(find_program, nullptr);
    fault.armed = std::sscanf(what, "%15s %15s %ld", fault.kind, fault.how, &fault.at) == 3;
  }
  return real_main(count, words, environment);
}

}  // namespace

extern "C" {

int __libc_start_main(Main main, int count, char** words, void (*init)(), void (*finish)(), void (*loader)(), void* stack) {
  using Start = int(Main, int, char**, void (*)(), void (*)(), void (*)(), void*);
  real_main = main;
  return real<Start>("__libc_start_main")(armed_main, count, words, init, finish, loader, stack);
}

void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);

static void* refused() {
  errno = ENOMEM;
  return nullptr;
}

void* malloc(std::size_t size) {
  return from_program(__builtin_return_address(0)) && strikes("allocate") ? refused() : __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
  return from_program(__builtin_return_address(0)) && strikes("allocate") ? refused() : __libc_calloc(count, size);
}
void* realloc(void* memory, std::size_t size) {
  return from_program(__builtin_return_address(0)) && strikes("allocate") ? refused() : __libc_realloc(memory, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  return from_program(__builtin_return_address(0)) && strikes("allocate") ? refused() : __libc_memalign(alignment, size);
}
int posix_memalign(void** memory, std::size_t alignment, std::size_t size) {
  if (from_program(__builtin_return_address(0)) && strikes("allocate")) return ENOMEM;
  *memory = __libc_memalign(alignment, size);
  return *memory != nullptr ? 0 : ENOMEM;
}

void* mmap(void* at, std::size_t size, int protection, int flags, int fd, off_t offset) {
  if (from_program(__builtin_return_address(0)) && strikes("mmap")) {
    errno = ENOMEM;
    return MAP_FAILED;
  }
  static const auto next = real<void*(void*, std::size_t, int, int, int, off_t)>("mmap");
  return next(at, size, protection, flags, fd, offset);
}

ssize_t write(int fd, const void* data, std::size_t size) {
  static const auto next = real<ssize_t(int, const void*, std::size_t)>("write");
  if (fd > STDERR_FILENO && strikes("write")) {
    if (std::strcmp(fault.how, "short") == 0) return next(fd, data, size > 1 ? size / 2 : size);
    errno = reason_of_failure();
    return -1;
  }
  return next(fd, data, size);
}

ssize_t read(int fd, void* data, std::size_t size) {
  static const auto next = real<ssize_t(int, void*, std::size_t)>("read");
  if (fd > STDERR_FILENO && strikes("read")) {
    if (std::strcmp(fault.how, "short") == 0) return next(fd, data, size > 1 ? size / 2 : size);
    errno = std::strcmp(fault.how, "EINTR") == 0 ? EINTR : EIO;
    return -1;
  }
  return next(fd, data, size);
}

int fsync(int fd) {
  static const auto next = real<int(int)>("fsync");
  if (strikes("fsync")) {
    errno = EIO;
    return -1;
  }
  return next(fd);
}

int rename(const char* from, const char* to) {
  static const auto next = real<int(const char*, const char*)>("rename");
  if (strikes("rename")) {
    errno = EACCES;
    return -1;
  }
  return next(from, to);
}

}  // extern "C"

static void* allocate(std::size_t size, std::size_t alignment, const void* caller) {
  if (from_program(caller) && strikes("new")) throw std::bad_alloc();
  if (void* memory = __libc_memalign(alignment, size > 0 ? size : 1)) return memory;
  throw std::bad_alloc();
}

void* operator new(std::size_t size) { return allocate(size, alignof(std::max_align_t), __builtin_return_address(0)); }
void* operator new[](std::size_t size) { return allocate(size, alignof(std::max_align_t), __builtin_return_address(0)); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<std::size_t>(alignment), __builtin_return_address(0));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<std::size_t>(alignment), __builtin_return_address(0));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
