// Device memory and pinned memory of the emulated CUDA runtime.
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "cuda_emulation/libraries/world.hpp"
#include "cuda_emulation/sanitizers.hpp"

namespace cuda_emulation {

namespace {

struct sigaction others_handler;

void on_segmentation_fault(int /*signal*/, siginfo_t* info, void* /*context*/) {
  if (world().memory.in_range(info->si_addr)) {
    static const char message[] = "cuda emulation: host code touched device memory\n";
    [[maybe_unused]] const auto written = write(2, message, sizeof message - 1);
  }
  sigaction(SIGSEGV, &others_handler, nullptr);  // which sees the fault again
}

/// Test frameworks set their own handler for every test, so this is repeated.
void explain_segmentation_faults() {
  struct sigaction now {};
  sigaction(SIGSEGV, nullptr, &now);
  if ((now.sa_flags & SA_SIGINFO) != 0 && now.sa_sigaction == &on_segmentation_fault) return;
  others_handler = now;
  struct sigaction ours {};
  ours.sa_sigaction = &on_segmentation_fault;
  ours.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigaction(SIGSEGV, &ours, nullptr);
}

}  // namespace

void DeviceMemory::reserve() {
  if (base_ != nullptr) return;
  void* range = mmap(nullptr, reserved, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (range == MAP_FAILED) throw std::runtime_error("cuda emulation: no address space for device memory");
  base_ = static_cast<char*>(range);
#ifdef PKEY_DISABLE_ACCESS
  key_ = pkey_alloc(0, PKEY_DISABLE_ACCESS);
#endif
}

void* DeviceMemory::allocate(std::size_t bytes) {
  explain_segmentation_faults();
  if (bytes > controls().total_memory || bytes_ + bytes > controls().total_memory) return nullptr;
  reserve();
  const auto rounded = [](std::size_t n) { return (n + alignment - 1) / alignment * alignment; };
  // The first gap between blocks that holds it and its margins.
  char* at = base_ + margin;
  for (const auto& [begin, size] : blocks_) {
    if (at + rounded(bytes) + margin <= begin) break;
    at = begin + rounded(size) + margin;
  }
  if (at + rounded(bytes) + margin > base_ + reserved) return nullptr;
  blocks_[at] = bytes;
  bytes_ += bytes;
  const auto end = static_cast<std::size_t>(at + rounded(bytes) + margin - base_);
  if (end > extent_) extend((end + 4095) / 4096 * 4096);
  open();
  sanitizers::unpoison(at, bytes);
  std::memset(at, 0xff, bytes);
  sanitizers::poison(at - margin, margin);
  sanitizers::poison(at + bytes, rounded(bytes) - bytes + margin);
  close();
  return at;
}

bool DeviceMemory::free(void* p) {
  const auto block = blocks_.find(static_cast<char*>(p));
  if (block == blocks_.end()) return false;
  bytes_ -= block->second;
  sanitizers::poison(block->first, block->second);
  blocks_.erase(block);
  return true;
}

bool DeviceMemory::contains(const void* p, std::size_t bytes) const {
  auto* const at = const_cast<char*>(static_cast<const char*>(p));
  auto block = blocks_.upper_bound(at);
  if (block == blocks_.begin()) return false;
  --block;
  return bytes <= block->second && at <= block->first + (block->second - bytes);
}

bool DeviceMemory::in_range(const void* p) const { return base_ != nullptr && p >= base_ && p < base_ + reserved; }

void DeviceMemory::extend(std::size_t extent) {
#ifdef PKEY_DISABLE_ACCESS
  if (key_ >= 0 && pkey_mprotect(base_ + extent_, extent - extent_, PROT_READ | PROT_WRITE, key_) != 0)
    throw std::runtime_error("cuda emulation: pkey_mprotect of device memory failed");
#endif
  extent_ = extent;
  allow(opened_ > 0);
}
void DeviceMemory::allow(bool access) const {
#ifdef PKEY_DISABLE_ACCESS
  if (key_ >= 0 && pkey_set(key_, access ? 0 : PKEY_DISABLE_ACCESS) == 0) return;
#endif
  if (extent_ > 0 && mprotect(base_, extent_, access ? PROT_READ | PROT_WRITE : PROT_NONE) != 0)
    throw std::runtime_error("cuda emulation: mprotect of device memory failed");
}
void DeviceMemory::open() {
  if (opened_++ == 0) allow(true);
}
void DeviceMemory::close() {
  if (--opened_ == 0) allow(false);
}

DeviceMemoryOpen::DeviceMemoryOpen() { world().memory.open(); }
DeviceMemoryOpen::~DeviceMemoryOpen() { world().memory.close(); }

namespace {

bool is_pinned(const void* p, std::size_t bytes) {
  const auto& pinned = world().pinned;
  auto range = pinned.upper_bound(static_cast<const char*>(p));
  if (range == pinned.begin()) return false;
  --range;
  return static_cast<const char*>(p) + bytes <= range->first + range->second;
}

/// The kind must tell the truth; what lies in device memory must lie in one allocation.
bool resolve(const void* to, const void* from, std::size_t bytes, cudaMemcpyKind& kind) {
  const auto& memory = world().memory;
  const bool to_device = memory.in_range(to), from_device = memory.in_range(from);
  const auto actual = to_device ? (from_device ? cudaMemcpyDeviceToDevice : cudaMemcpyHostToDevice)
                                : (from_device ? cudaMemcpyDeviceToHost : cudaMemcpyHostToHost);
  if (kind == cudaMemcpyDefault) kind = actual;
  return kind == actual && (!to_device || memory.contains(to, bytes)) && (!from_device || memory.contains(from, bytes));
}

}  // namespace

}  // namespace cuda_emulation

using namespace cuda_emulation;

extern "C" {

cudaError_t cudaMalloc(void** p, size_t bytes) {
  if (const auto status = usable(); status != cudaSuccess) return status;
  if (world().capture != nullptr && world().capture->mode != cudaStreamCaptureModeRelaxed) return not_while_capturing();
  if (p == nullptr) return report(cudaErrorInvalidValue);
  *p = nullptr;
  if (bytes == 0) return cudaSuccess;
  if (fails(controls().fail_allocation)) return report(cudaErrorMemoryAllocation);
  *p = world().memory.allocate(bytes);
  return *p != nullptr ? cudaSuccess : report(cudaErrorMemoryAllocation);
}

cudaError_t cudaFree(void* p) {
  if (p == nullptr) return usable();
  if (world().capture != nullptr) return not_while_capturing();
  drain_all();
  if (!world().memory.free(p)) return report(cudaErrorInvalidValue);
  return usable();
}

cudaError_t cudaHostAlloc(void** p, size_t bytes, unsigned /*flags*/) {
  if (const auto status = not_while_capturing(); status != cudaSuccess) return status;
  if (p == nullptr) return report(cudaErrorInvalidValue);
  *p = nullptr;
  if (bytes == 0) return cudaSuccess;
  if (posix_memalign(p, 4096, bytes) != 0) return report(cudaErrorMemoryAllocation);
  std::memset(*p, 0xff, bytes);
  world().pinned[static_cast<const char*>(*p)] = bytes;
  return cudaSuccess;
}
cudaError_t cudaMallocHost(void** p, size_t bytes) { return cudaHostAlloc(p, bytes, 0); }

cudaError_t cudaFreeHost(void* p) {
  if (p == nullptr) return usable();
  if (world().capture != nullptr) return not_while_capturing();
  if (world().pinned.count(static_cast<const char*>(p)) == 0) return report(cudaErrorInvalidValue);
  drain_all();
  world().pinned.erase(static_cast<const char*>(p));
  std::free(p);
  return usable();
}

cudaError_t cudaMemGetInfo(size_t* free_bytes, size_t* total) {
  if (const auto status = usable(); status != cudaSuccess) return status;
  if (free_bytes == nullptr || total == nullptr) return report(cudaErrorInvalidValue);
  *total = controls().total_memory;
  *free_bytes = *total - std::min(*total, world().memory.bytes());
  return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  if (const auto status = usable(); status != cudaSuccess) return status;
  if (bytes == 0) return cudaSuccess;
  if (to == nullptr || from == nullptr || !resolve(to, from, bytes, kind)) return report(cudaErrorInvalidValue);
  const bool pageable =
      (kind == cudaMemcpyHostToDevice && !is_pinned(from, bytes)) || (kind == cudaMemcpyDeviceToHost && !is_pinned(to, bytes));
  if (stream != nullptr && stream->capture != nullptr && pageable) return not_while_capturing();
  if (pageable && kind == cudaMemcpyHostToDevice) {  // staged: the source may change once the call returns
    const auto* const bytes_of_source = static_cast<const char*>(from);
    const auto staged = std::make_shared<std::vector<char>>(bytes_of_source, bytes_of_source + bytes);
    return enqueue(stream, [=] { std::memcpy(to, staged->data(), bytes); });
  }
  return enqueue(stream, [=] { std::memmove(to, from, bytes); });
}

cudaError_t cudaMemcpy(void* to, const void* from, size_t bytes, cudaMemcpyKind kind) {
  if (const auto status = not_while_capturing(); status != cudaSuccess) return status;
  if (const auto status = cudaMemcpyAsync(to, from, bytes, kind, nullptr); status != cudaSuccess) return status;
  return usable();
}

cudaError_t cudaMemsetAsync(void* p, int value, size_t bytes, cudaStream_t stream) {
  if (const auto status = usable(); status != cudaSuccess) return status;
  if (bytes == 0) return cudaSuccess;
  if (!world().memory.contains(p, bytes)) return report(cudaErrorInvalidValue);
  return enqueue(stream, [=] { std::memset(p, value, bytes); });
}

cudaError_t cudaMemset(void* p, int value, size_t bytes) {
  if (const auto status = not_while_capturing(); status != cudaSuccess) return status;
  return cudaMemsetAsync(p, value, bytes, nullptr);
}

cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, const void* p) {
  if (const auto status = usable(); status != cudaSuccess) return status;
  if (attributes == nullptr) return report(cudaErrorInvalidValue);
  *attributes = {};
  const bool device = world().memory.contains(p, 1), pinned = is_pinned(p, 1);
  attributes->type = device ? cudaMemoryTypeDevice : pinned ? cudaMemoryTypeHost : cudaMemoryTypeUnregistered;
  attributes->devicePointer = device || pinned ? const_cast<void*>(p) : nullptr;
  attributes->hostPointer = pinned ? const_cast<void*>(p) : nullptr;
  return cudaSuccess;
}

}  // extern "C"
