#pragma once

#include <cufft.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <string>

#include "lacuna/cuda/device.hpp"

namespace lacuna::cuda {

/// @brief What a status of cuFFT, which has no such function, is called.
inline const char* name_of(cufftResult status) {
  switch (status) {
    case CUFFT_INVALID_PLAN: return "invalid plan";
    case CUFFT_ALLOC_FAILED: return "out of memory";
    case CUFFT_INVALID_VALUE: return "invalid value";
    case CUFFT_INTERNAL_ERROR: return "internal error";
    case CUFFT_EXEC_FAILED: return "execution failed";
    case CUFFT_SETUP_FAILED: return "setup failed";
    case CUFFT_INVALID_SIZE: return "invalid size";
    case CUFFT_UNALIGNED_DATA: return "unaligned data";
    case CUFFT_NO_WORKSPACE: return "no workspace";
    case CUFFT_NOT_SUPPORTED: return "not supported";
    default: return "unknown error";
  }
}
template <class... Parts>
void check(cufftResult status, const Parts&... what) {
  if (status == CUFFT_SUCCESS) return;
  cudaGetLastError();
  throw CudaError(text("cuFFT: cannot ", what..., ": ", name_of(status)));
}

/// @brief The real Fourier transform of a channels-last image (H, W, C), or of a sample (T, H, W, C), with all frequencies:
/// complex numbers, real and imaginary parts side by side, (H, W/2 + 1, C) or (T, H, W/2 + 1, C). Unscaled either way.
struct FourierTransform {
  int frames = 0, height = 1, width = 1, channels = 1;  ///< frames 0: of an image

  auto operator<=>(const FourierTransform&) const = default;

  std::size_t frequencies() const {
    return static_cast<std::size_t>(frames > 0 ? frames : 1) * static_cast<std::size_t>(height) *
           static_cast<std::size_t>(width / 2 + 1);
  }
  std::string name() const {
    return text("Fourier transform of ", channels, " channels of ", frames > 0 ? text(frames, " x ") : "", height, " x ", width,
                " cells");
  }
};

/// @brief cuFFT on a device: the plans of the transforms that were asked for, on the device's stream.
class Cufft {
 public:
  explicit Cufft(const Device& device) : stream_(device.stream()) {}

  /// Bytes that a call needs. Makes the plans: not while a step is captured. Throws: CudaError that names the transform.
  std::size_t workspace(const FourierTransform& t) {
    return std::max(planned(t, CUFFT_R2C).workspace, planned(t, CUFFT_C2R).workspace);
  }

  void forward(const FourierTransform& t, const float* x, float* spectrum, void* workspace) {
    const Plan& plan = ready(t, CUFFT_R2C, workspace);
    check(cufftExecR2C(plan.handle, const_cast<float*>(x), reinterpret_cast<cufftComplex*>(spectrum)), "run the ", t.name());
  }
  /// The spectrum is lost; frequencies without a conjugate of their own must be those of a real field.
  void inverse(const FourierTransform& t, float* spectrum, float* x, void* workspace) {
    const Plan& plan = ready(t, CUFFT_C2R, workspace);
    check(cufftExecC2R(plan.handle, reinterpret_cast<cufftComplex*>(spectrum), x), "run the inverse ", t.name());
  }

 private:
  struct Plan {
    Plan() { check(cufftCreate(&handle), "make a plan"); }
    ~Plan() { cufftDestroy(handle); }
    Plan(const Plan&) = delete;
    Plan& operator=(const Plan&) = delete;

    cufftHandle handle = CUFFT_PLAN_NULL;
    std::size_t workspace = 0;
  };
  struct Key {
    FourierTransform transform;
    cufftType type;
    auto operator<=>(const Key&) const = default;
  };

  const Plan& planned(const FourierTransform& t, cufftType type) {
    const auto [at, fresh] = plans_.try_emplace({t, type}, nullptr);
    if (!fresh) return *at->second;
    try {
      at->second = made(t, type);
    } catch (...) {
      plans_.erase(at);
      throw;
    }
    return *at->second;
  }

  std::unique_ptr<Plan> made(const FourierTransform& t, cufftType type) const {
    auto plan = std::make_unique<Plan>();
    check(cufftSetAutoAllocation(plan->handle, 0), "plan the ", t.name());
    const int skipped = t.frames > 0 ? 0 : 1;
    std::array<int, 3> cells{t.frames, t.height, t.width}, frequencies{t.frames, t.height, t.width / 2 + 1};
    int *real = cells.data() + skipped, *complex = frequencies.data() + skipped;
    const bool forward = type == CUFFT_R2C;
    check(cufftMakePlanMany(plan->handle, 3 - skipped, real, forward ? real : complex, t.channels, 1, forward ? complex : real,
                            t.channels, 1, type, t.channels, &plan->workspace),
          "plan the ", t.name());
    check(cufftSetStream(plan->handle, stream_), "plan the ", t.name());
    return plan;
  }

  const Plan& ready(const FourierTransform& t, cufftType type, void* workspace) {
    const Plan& plan = planned(t, type);
    if (plan.workspace > 0) check(cufftSetWorkArea(plan.handle, workspace), "lend memory to the ", t.name());
    return plan;
  }

  const Stream& stream_;
  std::map<Key, std::unique_ptr<Plan>> plans_;
};

}  // namespace lacuna::cuda
