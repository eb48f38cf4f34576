// The emulated cuFFT: transforms against plain sums, and that wrong use is refused.
#include <cuda_runtime_api.h>
#include <cufft.h>

#include <cmath>
#include <complex>
#include <numbers>
#include <vector>

#include "catch.hpp"
#include "cuda_emulation/libraries/controls.hpp"

namespace {

/// A plan of channels-last transforms whose memory is the caller's.
struct Plan {
  Plan(std::vector<int> cells, int channels, cufftType type) {
    REQUIRE(cufftCreate(&handle) == CUFFT_SUCCESS);
    REQUIRE(cufftSetAutoAllocation(handle, 0) == CUFFT_SUCCESS);
    auto half = cells;
    half.back() = half.back() / 2 + 1;
    const bool forward = type == CUFFT_R2C;
    REQUIRE(cufftMakePlanMany(handle, static_cast<int>(cells.size()), cells.data(), (forward ? cells : half).data(), channels, 1,
                              (forward ? half : cells).data(), channels, 1, type, channels, &bytes) == CUFFT_SUCCESS);
  }
  ~Plan() { cufftDestroy(handle); }
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;

  cufftHandle handle = CUFFT_PLAN_NULL;
  std::size_t bytes = 0;
};

template <class T>
class OnDevice {
 public:
  explicit OnDevice(std::size_t count) {
    REQUIRE(cudaMalloc(reinterpret_cast<void**>(&data_), count * sizeof(T)) == cudaSuccess);
  }
  ~OnDevice() { cudaFree(data_); }
  OnDevice(const OnDevice&) = delete;
  OnDevice& operator=(const OnDevice&) = delete;
  operator T*() const { return data_; }  // NOLINT(google-explicit-constructor)

 private:
  T* data_ = nullptr;
};

}  // namespace

TEST_CASE("Emulated cuFFT: transforms of strided batches, and back") {
  cuda_emulation::reset();
  constexpr int height = 3, width = 5, channels = 2, half = 3;
  constexpr std::size_t size = height * width * channels, numbers = height * half * channels;
  std::vector<float> x(size), back(size);
  for (std::size_t i = 0; i < size; ++i) x[i] = static_cast<float>(i * i % 11) - 4;
  const OnDevice<float> from(size), to(size);
  const OnDevice<cufftComplex> spectrum(numbers);
  const Plan forward({height, width}, channels, CUFFT_R2C), inverse({height, width}, channels, CUFFT_C2R);
  const OnDevice<char> workspace(forward.bytes);
  cufftSetWorkArea(forward.handle, workspace);
  cufftSetWorkArea(inverse.handle, workspace);
  cudaMemcpy(from, x.data(), size * 4, cudaMemcpyHostToDevice);
  REQUIRE(cufftExecR2C(forward.handle, from, spectrum) == CUFFT_SUCCESS);
  std::vector<cufftComplex> given(numbers);
  cudaMemcpy(given.data(), spectrum, numbers * 8, cudaMemcpyDeviceToHost);
  for (int k = 0; k < height; ++k)
    for (int l = 0; l < half; ++l)
      for (int c = 0; c < channels; ++c) {
        std::complex<double> sum = 0;
        for (int i = 0; i < height; ++i)
          for (int j = 0; j < width; ++j)
            sum += std::polar(1.0, -2 * std::numbers::pi * (k * i / double{height} + l * j / double{width})) *
                   static_cast<double>(x[static_cast<std::size_t>((i * width + j) * channels + c)]);
        const auto v = given[static_cast<std::size_t>((k * half + l) * channels + c)];
        CHECK(std::abs(sum - std::complex<double>(v.x, v.y)) < 1e-5);
      }
  REQUIRE(cufftExecC2R(inverse.handle, spectrum, to) == CUFFT_SUCCESS);
  cudaMemcpy(back.data(), to, size * 4, cudaMemcpyDeviceToHost);
  for (std::size_t i = 0; i < size; ++i) CHECK(back[i] == Approx(height * width * x[i]).margin(1e-4));
  cudaMemcpy(given.data(), spectrum, numbers * 8, cudaMemcpyDeviceToHost);
  CHECK(std::isnan(given[0].x));  // lost
  CHECK(cuda_emulation::controls().log.size() == 2);
}

TEST_CASE("Emulated cuFFT: wrong use is refused") {
  cuda_emulation::reset();
  const Plan plan({4, 6}, 1, CUFFT_R2C), inverse({6}, 1, CUFFT_C2R);
  const OnDevice<float> memory(64);
  const OnDevice<cufftComplex> spectrum(16);
  const OnDevice<char> workspace(plan.bytes);
  const auto run = [&](float* x) { return cufftExecR2C(plan.handle, x, spectrum); };
  CHECK(run(memory) == CUFFT_NO_WORKSPACE);
  cufftSetWorkArea(plan.handle, workspace);
  CHECK(run(memory) == CUFFT_SUCCESS);
  CHECK(run(memory + 1) == CUFFT_UNALIGNED_DATA);
  CHECK(run(memory + 42) == CUFFT_INVALID_VALUE);  // beyond its end
  std::vector<float> host(24);
  CHECK(run(host.data()) == CUFFT_INVALID_VALUE);
  CHECK(cufftExecC2R(plan.handle, spectrum, memory) == CUFFT_INVALID_TYPE);
  CHECK(cufftExecR2C(12345, memory, spectrum) == CUFFT_INVALID_PLAN);
  cufftHandle empty = CUFFT_PLAN_NULL;
  REQUIRE(cufftCreate(&empty) == CUFFT_SUCCESS);
  CHECK(cufftExecR2C(empty, memory, spectrum) == CUFFT_INVALID_PLAN);
  int cells[] = {4, 0}, small[] = {4, 3};
  std::size_t bytes = 0;
  CHECK(cufftMakePlanMany(empty, 2, cells, cells, 1, 1, cells, 1, 1, CUFFT_R2C, 1, &bytes) == CUFFT_INVALID_SIZE);
  cells[1] = 6;
  CHECK(cufftMakePlanMany(empty, 2, cells, small, 1, 1, cells, 1, 1, CUFFT_R2C, 1, &bytes) == CUFFT_INVALID_SIZE);
  cudaStream_t stream = nullptr;
  cudaGraph_t graph = nullptr;
  REQUIRE(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking) == cudaSuccess);
  REQUIRE(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal) == cudaSuccess);
  CHECK(cufftMakePlanMany(empty, 2, cells, cells, 1, 1, cells, 1, 1, CUFFT_R2C, 1, &bytes) == CUFFT_SETUP_FAILED);
  cudaStreamEndCapture(stream, &graph);
  cudaGetLastError();
  cufftDestroy(empty);
  CHECK(cufftDestroy(empty) == CUFFT_INVALID_PLAN);
  // A spectrum that no real field has.
  std::vector<cufftComplex> odd(4, {1, 1});
  cudaMemcpy(spectrum, odd.data(), 32, cudaMemcpyHostToDevice);
  cufftSetWorkArea(inverse.handle, workspace);
  cufftSetStream(inverse.handle, stream);
  REQUIRE(cufftExecC2R(inverse.handle, spectrum, memory) == CUFFT_SUCCESS);
  CHECK(cudaStreamSynchronize(stream) != cudaSuccess);
  CHECK(cuda_emulation::failure().find("real field") != std::string::npos);
  cuda_emulation::reset();
  cudaStreamDestroy(stream);
}
