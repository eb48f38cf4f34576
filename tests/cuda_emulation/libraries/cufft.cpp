// Real transforms of cuFFT in float, of one to three axes, batched, with strides: plain sums along each axis.
#include <cufft.h>

#include <complex>
#include <cstdint>
#include <cstring>
#include <limits>
#include <map>
#include <numbers>
#include <stdexcept>
#include <string>
#include <vector>

#include "cuda_emulation/libraries/world.hpp"

using namespace cuda_emulation;

namespace {

struct Plan {
  std::vector<int> cells, input, output;  ///< extents of the transform, and of what holds its operands
  int input_step = 1, input_apart = 1, output_step = 1, output_apart = 1, batch = 0;
  cufftType type = CUFFT_R2C;
  bool allocates = true, made = false;
  void* workspace = nullptr;
  cudaStream_t stream = nullptr;

  std::size_t workspace_bytes() const { return allocates ? 0 : 1024; }
};

std::map<cufftHandle, Plan>& plans() {
  static std::map<cufftHandle, Plan> all;
  return all;
}
Plan* plan_of(cufftHandle handle) {
  const auto found = plans().find(handle);
  return found == plans().end() ? nullptr : &found->second;
}

using Complex = std::complex<double>;

std::size_t count(const std::vector<int>& extents) {
  std::size_t n = 1;
  for (const int e : extents) n *= static_cast<std::size_t>(e);
  return n;
}
/// Extents of the half spectrum.
std::vector<int> halved(std::vector<int> cells) {
  cells.back() = cells.back() / 2 + 1;
  return cells;
}

/// Where element i of an array of these extents lies in memory that holds `embedding`.
std::size_t place(std::size_t i, const std::vector<int>& extents, const std::vector<int>& embedding, int step) {
  std::size_t at = 0, factor = 1;
  for (std::size_t axis = extents.size(); axis-- > 0;) {
    const auto n = static_cast<std::size_t>(extents[axis]);
    at += i % n * factor;
    factor *= static_cast<std::size_t>(embedding[axis]);
    i /= n;
  }
  return at * static_cast<std::size_t>(step);
}

/// Sums along one axis of a whole array.
void transform(std::vector<Complex>& values, const std::vector<int>& extents, std::size_t axis, double sign) {
  const auto n = static_cast<std::size_t>(extents[axis]);
  std::size_t step = 1;
  for (std::size_t a = axis + 1; a < extents.size(); ++a) step *= static_cast<std::size_t>(extents[a]);
  std::vector<Complex> roots(n), line(n);
  for (std::size_t k = 0; k < n; ++k)
    roots[k] = std::polar(1.0, sign * 2 * std::numbers::pi * static_cast<double>(k) / static_cast<double>(n));
  for (std::size_t first = 0; first < values.size(); ++first) {
    if (first / step % n != 0) continue;
    for (std::size_t x = 0; x < n; ++x) line[x] = values[first + x * step];
    for (std::size_t k = 0; k < n; ++k) {
      Complex sum = 0;
      for (std::size_t x = 0; x < n; ++x) sum += line[x] * roots[k * x % n];
      values[first + k * step] = sum;
    }
  }
}

void run_forward(const Plan& p, const float* in, cufftComplex* out) {
  const auto half = halved(p.cells);
  for (int b = 0; b < p.batch; ++b) {
    std::vector<Complex> values(count(p.cells));
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] = in[static_cast<std::ptrdiff_t>(b) * p.input_apart +
                     static_cast<std::ptrdiff_t>(place(i, p.cells, p.input, p.input_step))];
    for (std::size_t axis = 0; axis < p.cells.size(); ++axis) transform(values, p.cells, axis, -1);
    for (std::size_t i = 0; i < count(half); ++i) {
      const Complex v = values[place(i, half, p.cells, 1)];
      out[static_cast<std::ptrdiff_t>(b) * p.output_apart +
          static_cast<std::ptrdiff_t>(place(i, half, p.output, p.output_step))] = {static_cast<float>(v.real()),
                                                                                   static_cast<float>(v.imag())};
    }
  }
}

/// False where frequencies that have no conjugate are not those of a real field: the result is undefined.
bool run_inverse(const Plan& p, cufftComplex* in, float* out) {
  const auto half = halved(p.cells);
  const auto n = static_cast<std::size_t>(p.cells.back()), lines = count(p.cells) / n;
  bool real = true;
  for (int b = 0; b < p.batch; ++b) {
    std::vector<Complex> values(count(p.cells));
    double largest = 0;
    for (std::size_t i = 0; i < count(half); ++i) {
      auto& v =
          in[static_cast<std::ptrdiff_t>(b) * p.input_apart + static_cast<std::ptrdiff_t>(place(i, half, p.input, p.input_step))];
      values[place(i, half, p.cells, 1)] = {v.x, v.y};
      largest = std::max(largest, std::abs(Complex(v.x, v.y)));
      v.x = v.y = std::numeric_limits<float>::quiet_NaN();  // what lay there is lost
    }
    for (std::size_t axis = 0; axis + 1 < p.cells.size(); ++axis) transform(values, p.cells, axis, 1);
    for (std::size_t line = 0; line < lines; ++line) {
      Complex* const row = values.data() + line * n;
      for (std::size_t w = 0; w <= n / 2; ++w)
        if (2 * w % n == 0)
          real = real && !(std::abs(row[w].imag()) > 1e-4 * largest * static_cast<double>(lines));
        else
          row[n - w] = std::conj(row[w]);
    }
    transform(values, p.cells, p.cells.size() - 1, 1);
    for (std::size_t i = 0; i < values.size(); ++i)
      out[static_cast<std::ptrdiff_t>(b) * p.output_apart +
          static_cast<std::ptrdiff_t>(place(i, p.cells, p.output, p.output_step))] = static_cast<float>(values[i].real());
  }
  return real;
}

/// Elements from the first to the last one's end.
std::size_t extent(const std::vector<int>& extents, const std::vector<int>& embedding, int step, int apart, int batch) {
  return place(count(extents) - 1, extents, embedding, step) +
         static_cast<std::size_t>(batch - 1) * static_cast<std::size_t>(apart) + 1;
}

/// What execution demands of the plan and of the arrays' `bytes`; then queues the work.
template <class Work>
cufftResult run(cufftHandle handle, cufftType type, const void* in, const void* out, const Work& work) {
  const Plan* const found = plan_of(handle);
  if (found == nullptr || !found->made) return CUFFT_INVALID_PLAN;
  const Plan& p = *found;
  if (p.type != type) return CUFFT_INVALID_TYPE;
  const bool forward = type == CUFFT_R2C;
  const auto half = halved(p.cells);
  const std::size_t in_bytes =
                        extent(forward ? p.cells : half, p.input, p.input_step, p.input_apart, p.batch) * (forward ? 4 : 8),
                    out_bytes =
                        extent(forward ? half : p.cells, p.output, p.output_step, p.output_apart, p.batch) * (forward ? 8 : 4);
  for (const void* const pointer : {in, out})  // real arrays too begin where a complex number may
    if (reinterpret_cast<std::uintptr_t>(pointer) % sizeof(cufftComplex) != 0) return CUFFT_UNALIGNED_DATA;
  if (!world().memory.contains(in, in_bytes) || !world().memory.contains(out, out_bytes)) return CUFFT_INVALID_VALUE;
  if (p.workspace_bytes() > 0 && !world().memory.contains(p.workspace, p.workspace_bytes())) return CUFFT_NO_WORKSPACE;
  std::string sizes;
  for (const int n : p.cells) sizes += (sizes.empty() ? "" : " x ") + std::to_string(n);
  if (!library_call(
          {forward ? "cufftExecR2C" : "cufftExecC2R", sizes + " x " + std::to_string(p.batch) + " batches", p.workspace_bytes()}))
    return CUFFT_EXEC_FAILED;
  const auto status = enqueue(p.stream, [p, work] {
    if (p.workspace_bytes() > 0) std::memset(p.workspace, 0xff, p.workspace_bytes());  // what lay there is lost
    work(p);
  });
  return status == cudaSuccess ? CUFFT_SUCCESS : CUFFT_EXEC_FAILED;
}

}  // namespace

extern "C" {

cufftResult cufftCreate(cufftHandle* handle) {
  if (handle == nullptr) return CUFFT_INVALID_VALUE;
  if (not_while_capturing() != cudaSuccess) return CUFFT_SETUP_FAILED;
  static cufftHandle last = 0;
  *handle = ++last;
  plans()[*handle] = {};
  ++world().live.library_handles;
  return CUFFT_SUCCESS;
}

cufftResult cufftDestroy(cufftHandle handle) {
  if (plans().erase(handle) == 0) return CUFFT_INVALID_PLAN;
  --world().live.library_handles;
  return CUFFT_SUCCESS;
}

cufftResult cufftSetAutoAllocation(cufftHandle handle, int automatic) {
  Plan* const p = plan_of(handle);
  if (p == nullptr || p->made) return CUFFT_INVALID_PLAN;
  p->allocates = automatic != 0;
  return CUFFT_SUCCESS;
}

cufftResult cufftMakePlanMany(cufftHandle handle, int rank, int* n, int* inembed, int istride, int idist, int* onembed,
                              int ostride, int odist, cufftType type, int batch, size_t* workspace) {
  Plan* const p = plan_of(handle);
  if (p == nullptr || p->made) return CUFFT_INVALID_PLAN;
  if (not_while_capturing() != cudaSuccess) return CUFFT_SETUP_FAILED;
  if (type != CUFFT_R2C && type != CUFFT_C2R) return CUFFT_INVALID_TYPE;
  if (rank < 1 || rank > 3 || n == nullptr || inembed == nullptr || onembed == nullptr || workspace == nullptr || istride < 1 ||
      idist < 1 || ostride < 1 || odist < 1)
    return CUFFT_INVALID_VALUE;
  if (batch < 1) return CUFFT_INVALID_SIZE;
  Plan made{{n, n + rank}, {inembed, inembed + rank}, {onembed, onembed + rank}, istride, idist, ostride, odist, batch, type};
  for (const int cells : made.cells)
    if (cells < 1) return CUFFT_INVALID_SIZE;
  const auto half = halved(made.cells);
  const auto &in = type == CUFFT_R2C ? made.cells : half, &out = type == CUFFT_R2C ? half : made.cells;
  for (std::size_t axis = 1; axis < in.size(); ++axis)
    if (made.input[axis] < in[axis] || made.output[axis] < out[axis]) return CUFFT_INVALID_SIZE;
  made.allocates = p->allocates;
  made.stream = p->stream;
  made.made = true;
  *workspace = made.workspace_bytes();
  *p = std::move(made);
  return CUFFT_SUCCESS;
}

cufftResult cufftSetStream(cufftHandle handle, cudaStream_t stream) {
  Plan* const p = plan_of(handle);
  if (p == nullptr) return CUFFT_INVALID_PLAN;
  p->stream = stream;
  return CUFFT_SUCCESS;
}

cufftResult cufftSetWorkArea(cufftHandle handle, void* workspace) {
  Plan* const p = plan_of(handle);
  if (p == nullptr || !p->made || p->allocates) return CUFFT_INVALID_PLAN;
  p->workspace = workspace;
  return CUFFT_SUCCESS;
}

cufftResult cufftExecR2C(cufftHandle handle, cufftReal* in, cufftComplex* out) {
  return run(handle, CUFFT_R2C, in, out, [in, out](const Plan& p) { run_forward(p, in, out); });
}
cufftResult cufftExecC2R(cufftHandle handle, cufftComplex* in, cufftReal* out) {
  return run(handle, CUFFT_C2R, in, out, [in, out](const Plan& p) {
    if (!run_inverse(p, in, out)) throw std::runtime_error("cufftExecC2R: the spectrum is not that of a real field");
  });
}

}  // extern "C"
