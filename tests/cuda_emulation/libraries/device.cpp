// Devices and errors of the emulated CUDA runtime, and what tests tell it.
#include <algorithm>
#include <cstdio>
#include <cstring>

#include "cuda_emulation/libraries/world.hpp"

namespace cuda_emulation {

World& world() {
  static World all;
  return all;
}
Controls& controls() {
  static Controls settings;
  return settings;
}

Live live() {
  Live counts = world().live;
  counts.device_bytes = world().memory.bytes();
  counts.device_allocations = world().memory.allocations();
  counts.pinned_allocations = world().pinned.size();
  return counts;
}
std::string failure() { return world().failure; }

void reset() {
  controls() = {};
  if (world().capture != nullptr) {
    for (CUstream_st* stream : world().capture->streams) stream->capture = nullptr;
    world().capture = nullptr;
  }
  for (CUstream_st* stream : world().streams) {
    for (std::size_t i = stream->begun; i < stream->queue.size(); ++i)
      if (stream->queue[i].record != nullptr) stream->queue[i].record->done = true;
    stream->queue.clear();
    stream->begun = 0;
  }
  world().device = 0;
  world().last_error = world().sticky = cudaSuccess;
  world().failure.clear();
}

cudaError_t report(cudaError_t status) {
  if (status != cudaSuccess) world().last_error = status;
  return status;
}

cudaError_t usable() {
  if (controls().driver_too_old) return report(cudaErrorInsufficientDriver);
  if (controls().devices == 0) return report(cudaErrorNoDevice);
  return report(world().sticky);
}

cudaError_t not_while_capturing() {
  if (const auto status = usable(); status != cudaSuccess) return status;
  if (world().capture == nullptr) return cudaSuccess;
  world().capture->invalid = true;
  return report(cudaErrorStreamCaptureUnsupported);
}

bool fails(long& counter) { return counter > 0 && --counter == 0; }

bool library_call(LibraryCall call) {
  controls().log.push_back(std::move(call));
  if (!fails(controls().fail_library_call)) return true;
  report(cudaErrorLaunchOutOfResources);
  return false;
}

namespace {

struct Named {
  cudaError_t status;
  const char *name, *text;
};
constexpr Named names[] = {
    {cudaSuccess, "cudaSuccess", "no error"},
    {cudaErrorInvalidValue, "cudaErrorInvalidValue", "invalid argument"},
    {cudaErrorMemoryAllocation, "cudaErrorMemoryAllocation", "out of memory"},
    {cudaErrorInsufficientDriver, "cudaErrorInsufficientDriver", "CUDA driver version is insufficient for CUDA runtime version"},
    {cudaErrorNoDevice, "cudaErrorNoDevice", "no CUDA-capable device is detected"},
    {cudaErrorInvalidDevice, "cudaErrorInvalidDevice", "invalid device ordinal"},
    {cudaErrorInvalidResourceHandle, "cudaErrorInvalidResourceHandle", "invalid resource handle"},
    {cudaErrorIllegalState, "cudaErrorIllegalState", "the operation cannot be performed in the present state"},
    {cudaErrorNotReady, "cudaErrorNotReady", "device not ready"},
    {cudaErrorLaunchOutOfResources, "cudaErrorLaunchOutOfResources", "too many resources requested for launch"},
    {cudaErrorLaunchFailure, "cudaErrorLaunchFailure", "unspecified launch failure"},
    {cudaErrorStreamCaptureUnsupported, "cudaErrorStreamCaptureUnsupported", "operation not permitted when stream is capturing"},
    {cudaErrorStreamCaptureInvalidated, "cudaErrorStreamCaptureInvalidated",
     "operation failed due to a previous error during capture"},
    {cudaErrorStreamCaptureUnmatched, "cudaErrorStreamCaptureUnmatched", "capture was not initiated in this stream"},
    {cudaErrorStreamCaptureUnjoined, "cudaErrorStreamCaptureUnjoined", "capturing stream has unjoined work"},
    {cudaErrorStreamCaptureIsolation, "cudaErrorStreamCaptureIsolation",
     "dependency created on uncaptured work in another stream"},
    {cudaErrorStreamCaptureImplicit, "cudaErrorStreamCaptureImplicit",
     "operation would make the legacy stream depend on a capturing blocking stream"},
    {cudaErrorCapturedEvent, "cudaErrorCapturedEvent", "operation not permitted on an event last recorded in a capturing stream"},
};
const Named* find(cudaError_t status) {
  for (const Named& named : names)
    if (named.status == status) return &named;
  return nullptr;
}

}  // namespace

}  // namespace cuda_emulation

using namespace cuda_emulation;

extern "C" {

cudaError_t cudaGetDeviceCount(int* count) {
  if (count == nullptr) return report(cudaErrorInvalidValue);
  *count = 0;
  if (const auto status = usable(); status != cudaSuccess) return status;
  *count = controls().devices;
  return cudaSuccess;
}

cudaError_t cudaGetDevice(int* device) {
  if (const auto status = usable(); status != cudaSuccess) return status;
  if (device == nullptr) return report(cudaErrorInvalidValue);
  *device = world().device;
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int device) {
  if (const auto status = usable(); status != cudaSuccess) return status;
  if (device < 0 || device >= controls().devices) return report(cudaErrorInvalidDevice);
  world().device = device;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  if (const auto status = usable(); status != cudaSuccess) return status;
  if (properties == nullptr) return report(cudaErrorInvalidValue);
  if (device < 0 || device >= controls().devices) return report(cudaErrorInvalidDevice);
  *properties = {};
  std::snprintf(properties->name, sizeof properties->name, "Emulated device %d", device);
  properties->totalGlobalMem = controls().total_memory;
  properties->sharedMemPerBlock = properties->sharedMemPerBlockOptin = 48 * 1024;
  properties->warpSize = 32;
  properties->maxThreadsPerBlock = 1024;
  properties->major = controls().major;
  properties->minor = controls().minor;
  properties->multiProcessorCount = 4;
  properties->l2CacheSize = 1 << 20;
  return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
  cudaDeviceProp properties;
  if (value == nullptr) return report(cudaErrorInvalidValue);
  if (const auto status = cudaGetDeviceProperties(&properties, device); status != cudaSuccess) return status;
  switch (attribute) {
    case cudaDevAttrComputeCapabilityMajor: *value = properties.major; return cudaSuccess;
    case cudaDevAttrComputeCapabilityMinor: *value = properties.minor; return cudaSuccess;
    case cudaDevAttrMultiProcessorCount: *value = properties.multiProcessorCount; return cudaSuccess;
    case cudaDevAttrWarpSize: *value = properties.warpSize; return cudaSuccess;
    case cudaDevAttrMaxThreadsPerBlock: *value = properties.maxThreadsPerBlock; return cudaSuccess;
    case cudaDevAttrMaxSharedMemoryPerBlock: *value = static_cast<int>(properties.sharedMemPerBlock); return cudaSuccess;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
      *value = static_cast<int>(properties.sharedMemPerBlockOptin);
      return cudaSuccess;
    case cudaDevAttrL2CacheSize: *value = properties.l2CacheSize; return cudaSuccess;
    default: return report(cudaErrorInvalidValue);  // the emulation must learn it first
  }
}

/// As on a machine without a driver, 0 is no error.
cudaError_t cudaDriverGetVersion(int* version) {
  if (version == nullptr) return report(cudaErrorInvalidValue);
  *version = controls().driver_too_old ? 11000 : controls().devices == 0 ? 0 : CUDART_VERSION;
  return cudaSuccess;
}
cudaError_t cudaRuntimeGetVersion(int* version) {
  if (version == nullptr) return report(cudaErrorInvalidValue);
  *version = CUDART_VERSION;
  return cudaSuccess;
}

cudaError_t cudaPeekAtLastError() { return world().sticky != cudaSuccess ? world().sticky : world().last_error; }
cudaError_t cudaGetLastError() {
  const cudaError_t status = cudaPeekAtLastError();
  world().last_error = cudaSuccess;
  return status;
}

const char* cudaGetErrorName(cudaError_t status) {
  const Named* const named = find(status);
  return named == nullptr ? "unrecognized error code" : named->name;
}

/// A failed kernel's own message follows, where there is one.
const char* cudaGetErrorString(cudaError_t status) {
  const Named* const named = find(status);
  if (status != cudaErrorLaunchFailure || world().failure.empty())
    return named == nullptr ? "unrecognized error code" : named->text;
  static std::string text;
  text = std::string(named->text) + ": " + world().failure;
  return text.c_str();
}

}  // extern "C"
