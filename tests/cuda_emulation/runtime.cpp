// The emulated CUDA runtime shows what a GPU would hide or show only now and then: forgotten synchronisation, illegal capture.
#include <cuda_runtime_api.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "catch.hpp"
#include "cuda_emulation/libraries/controls.hpp"
#include "port.cuh"

namespace {

using cuda_emulation::controls;
using lacuna::kernels::launch;

struct Stream {
  Stream() { REQUIRE(cudaStreamCreateWithFlags(&raw, cudaStreamNonBlocking) == cudaSuccess); }
  ~Stream() { cudaStreamDestroy(raw); }
  operator cudaStream_t() const { return raw; }  // NOLINT(google-explicit-constructor)
  cudaStream_t raw = nullptr;
};
struct Array {
  explicit Array(std::size_t count) : size(count) { REQUIRE(cudaMalloc(&raw, count * sizeof(float)) == cudaSuccess); }
  ~Array() { cudaFree(raw); }
  float* data() const { return static_cast<float*>(raw); }
  std::vector<float> content() const {
    std::vector<float> host(size);
    CHECK(cudaMemcpy(host.data(), raw, size * sizeof(float), cudaMemcpyDeviceToHost) == cudaSuccess);
    return host;
  }
  std::size_t size;
  void* raw = nullptr;
};

void set_all(float* out, float value) { out[threadIdx.x] = value; }
void add_from(float* out, const float* in) { out[threadIdx.x] += in[threadIdx.x]; }
void half_barrier() {
  if (threadIdx.x < 8) __syncthreads();
}

}  // namespace

TEST_CASE("Emulated runtime: work of a stream runs at its synchronisation and not before") {
  cuda_emulation::reset();
  const Stream stream;
  const Array array(32);
  CHECK(std::isnan(array.content()[0]));  // fresh memory
  launch(stream, &set_all, 1u, 32, 0, array.data(), 2.0f);
  CHECK(std::isnan(array.content()[5]));  // a blocking copy does not wait for a non-blocking stream
  CHECK(cuda_emulation::pending() == 1);
  CHECK(cudaStreamSynchronize(stream) == cudaSuccess);
  CHECK(array.content()[5] == 2.0f);
}

TEST_CASE("Emulated runtime: streams without an event between them run in the wrong order, with one in the right") {
  const Stream first, second;
  const Array a(32), b(32);
  for (const bool waits : {false, true}) {
    cuda_emulation::reset();
    CHECK(cudaMemset(a.data(), 0, 128) == cudaSuccess);
    CHECK(cudaMemset(b.data(), 0, 128) == cudaSuccess);
    cudaEvent_t event = nullptr;
    CHECK(cudaEventCreateWithFlags(&event, cudaEventDisableTiming) == cudaSuccess);
    launch(first, &set_all, 1u, 32, 0, a.data(), 3.0f);
    CHECK(cudaEventRecord(event, first) == cudaSuccess);
    CHECK(cudaEventQuery(event) == cudaErrorNotReady);
    if (waits) CHECK(cudaStreamWaitEvent(second, event, 0) == cudaSuccess);
    launch(second, &add_from, 1u, 32, 0, b.data(), a.data());
    CHECK(cudaDeviceSynchronize() == cudaSuccess);
    CHECK(b.content()[0] == (waits ? 3.0f : 0.0f));
    CHECK(cudaEventQuery(event) == cudaSuccess);
    CHECK(cudaEventDestroy(event) == cudaSuccess);
  }
}

TEST_CASE("Emulated runtime: pageable sources are staged at the call, pinned ones read when the copy runs") {
  cuda_emulation::reset();
  const Stream stream;
  const Array a(1), b(1);
  float pageable = 1;
  float* pinned = nullptr;
  CHECK(cudaMallocHost(reinterpret_cast<void**>(&pinned), 4) == cudaSuccess);
  *pinned = 1;
  CHECK(cudaMemcpyAsync(a.data(), &pageable, 4, cudaMemcpyHostToDevice, stream) == cudaSuccess);
  CHECK(cudaMemcpyAsync(b.data(), pinned, 4, cudaMemcpyHostToDevice, stream) == cudaSuccess);
  pageable = *pinned = 9;
  CHECK(cudaStreamSynchronize(stream) == cudaSuccess);
  CHECK(a.content()[0] == 1.0f);
  CHECK(b.content()[0] == 9.0f);
  CHECK(cudaMemcpyAsync(a.data(), pinned, 4, cudaMemcpyDeviceToHost, stream) == cudaErrorInvalidValue);
  CHECK(cudaMemcpyAsync(a.data(), pinned, 8, cudaMemcpyHostToDevice, stream) == cudaErrorInvalidValue);
  CHECK(cudaFreeHost(pinned) == cudaSuccess);
}

TEST_CASE("Emulated runtime: a captured graph replays with what its memory holds by then") {
  cuda_emulation::reset();
  const Stream stream;
  const Array sum(32), term(32);
  CHECK(cudaMemset(sum.data(), 0, 128) == cudaSuccess);
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t executable = nullptr;
  CHECK(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal) == cudaSuccess);
  launch(stream, &add_from, 1u, 32, 0, sum.data(), term.data());
  CHECK(cudaStreamEndCapture(stream, &graph) == cudaSuccess);
  CHECK(cudaGraphInstantiate(&executable, graph, 0) == cudaSuccess);
  CHECK(cudaStreamSynchronize(stream) == cudaSuccess);
  CHECK(sum.content()[0] == 0.0f);  // captured, not run
  for (const float value : {1.0f, 10.0f}) {
    launch(stream, &set_all, 1u, 32, 0, term.data(), value);
    CHECK(cudaGraphLaunch(executable, stream) == cudaSuccess);
  }
  CHECK(cudaStreamSynchronize(stream) == cudaSuccess);
  CHECK(sum.content()[7] == 11.0f);
  CHECK(cudaGraphExecDestroy(executable) == cudaSuccess);
  CHECK(cudaGraphDestroy(graph) == cudaSuccess);
}

TEST_CASE("Emulated runtime: what is illegal during capture is an error and invalidates it") {
  const Array array(4);
  float host = 0;
  void* p = nullptr;
  using Call = cudaError_t (*)(cudaStream_t, void*, float*);
  const Call illegal[] = {[](cudaStream_t, void*, float*) {
                            void* out = nullptr;
                            return cudaMalloc(&out, 4);
                          },
                          [](cudaStream_t, void* memory, float*) { return cudaFree(memory); },
                          [](cudaStream_t stream, void*, float*) { return cudaStreamSynchronize(stream); },
                          [](cudaStream_t, void*, float*) { return cudaDeviceSynchronize(); },
                          [](cudaStream_t, void* memory, float* to) { return cudaMemcpy(to, memory, 4, cudaMemcpyDeviceToHost); },
                          [](cudaStream_t stream, void* memory, float* from) {
                            return cudaMemcpyAsync(memory, from, 4, cudaMemcpyHostToDevice, stream);  // pageable
                          }};
  for (const Call call : illegal) {
    cuda_emulation::reset();
    const Stream stream;
    CHECK(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal) == cudaSuccess);
    CHECK(call(stream, array.raw, &host) == cudaErrorStreamCaptureUnsupported);
    CHECK_THROWS_AS(launch(stream, &half_barrier, 1u, 8, 0), lacuna::Error);
    cudaGraph_t graph = nullptr;
    CHECK(cudaStreamEndCapture(stream, &graph) == cudaErrorStreamCaptureInvalidated);
    CHECK(graph == nullptr);
    CHECK(cudaMalloc(&p, 4) == cudaSuccess);  // all well again
    CHECK(cudaFree(p) == cudaSuccess);
  }
  CHECK(cudaStreamBeginCapture(nullptr, cudaStreamCaptureModeGlobal) == cudaErrorStreamCaptureUnsupported);
}

TEST_CASE("Emulated runtime: a capture that forks must join") {
  cuda_emulation::reset();
  const Stream stream, other;
  const Array array(32);
  cudaEvent_t event = nullptr;
  CHECK(cudaEventCreateWithFlags(&event, cudaEventDisableTiming) == cudaSuccess);
  for (const bool joins : {false, true}) {
    cudaGraph_t graph = nullptr;
    CHECK(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal) == cudaSuccess);
    CHECK(cudaEventRecord(event, stream) == cudaSuccess);
    CHECK(cudaStreamWaitEvent(other, event, 0) == cudaSuccess);
    launch(other, &set_all, 1u, 32, 0, array.data(), 1.0f);
    if (joins) {
      CHECK(cudaEventRecord(event, other) == cudaSuccess);
      CHECK(cudaStreamWaitEvent(stream, event, 0) == cudaSuccess);
    }
    CHECK(cudaStreamEndCapture(stream, &graph) == (joins ? cudaSuccess : cudaErrorStreamCaptureUnjoined));
    if (joins) CHECK(cudaGraphDestroy(graph) == cudaSuccess);
  }
  CHECK(cudaEventDestroy(event) == cudaSuccess);
}

TEST_CASE("Emulated runtime: a kernel's error surfaces at the synchronisation, with its message") {
  cuda_emulation::reset();
  const Stream stream;
  launch(stream, &half_barrier, 1u, 16, 0);
  CHECK(cudaPeekAtLastError() == cudaSuccess);
  CHECK(cudaStreamSynchronize(stream) == cudaErrorLaunchFailure);
  CHECK(std::string(cudaGetErrorString(cudaErrorLaunchFailure)).find("not every thread of the block reaches") !=
        std::string::npos);
  CHECK(cudaDeviceSynchronize() == cudaErrorLaunchFailure);  // the context is lost
  cuda_emulation::reset();
  CHECK(cudaDeviceSynchronize() == cudaSuccess);
}

TEST_CASE("Emulated runtime: memory ends, and failures can be ordered") {
  cuda_emulation::reset();
  const auto before = cuda_emulation::live();
  void *p = nullptr, *q = nullptr;
  controls().total_memory = 1 << 20;
  CHECK(cudaMalloc(&p, 1 << 19) == cudaSuccess);
  CHECK(cuda_emulation::live().device_bytes == before.device_bytes + (1 << 19));
  CHECK(cudaMalloc(&q, (1 << 19) + 1) == cudaErrorMemoryAllocation);
  CHECK(q == nullptr);
  CHECK(cudaGetLastError() == cudaErrorMemoryAllocation);
  CHECK(cudaGetLastError() == cudaSuccess);
  CHECK(cudaFree(p) == cudaSuccess);
  CHECK(cudaFree(p) == cudaErrorInvalidValue);
  CHECK(cuda_emulation::live() == before);
  controls().fail_allocation = 2;
  CHECK(cudaMalloc(&p, 4) == cudaSuccess);
  CHECK(cudaMalloc(&q, 4) == cudaErrorMemoryAllocation);
  CHECK(cudaFree(p) == cudaSuccess);
  controls().fail_launch = 1;
  const Stream stream;
  CHECK_THROWS_WITH(launch(stream, &half_barrier, 1u, 8, 0), Catch::Matchers::Contains("too many resources"));
}

TEST_CASE("Emulated runtime: no device and an old driver are said so") {
  cuda_emulation::reset();
  int count = -1;
  controls().devices = 0;
  CHECK(cudaGetDeviceCount(&count) == cudaErrorNoDevice);
  CHECK(count == 0);
  controls().driver_too_old = true;
  CHECK(cudaGetDeviceCount(&count) == cudaErrorInsufficientDriver);
  cuda_emulation::reset();
  controls().devices = 2;
  CHECK(cudaGetDeviceCount(&count) == cudaSuccess);
  CHECK(count == 2);
  CHECK(cudaSetDevice(2) == cudaErrorInvalidDevice);
  cuda_emulation::reset();
}

TEST_CASE("Emulated runtime: host code that touches device memory dies at once") {
  cuda_emulation::reset();
  const Array array(4);
  int output[2];
  REQUIRE(pipe(output) == 0);
  const pid_t child = fork();
  if (child == 0) {
    dup2(output[1], 1);  // the test framework reports the signal too
    dup2(output[1], 2);
    *static_cast<volatile float*>(array.raw) = 1;
    _exit(0);
  }
  close(output[1]);
  std::string text;
  char part[256];
  for (ssize_t got = 0; (got = read(output[0], part, sizeof part)) > 0;) text.append(part, static_cast<std::size_t>(got));
  close(output[0]);
  int status = 0;
  waitpid(child, &status, 0);
  CHECK_FALSE((WIFEXITED(status) && WEXITSTATUS(status) == 0));
  CHECK(text.find("host code touched device memory") != std::string::npos);
  const cuda_emulation::DeviceMemoryOpen open;
  CHECK(std::isnan(array.data()[0]));  // where a test asks for it
}
