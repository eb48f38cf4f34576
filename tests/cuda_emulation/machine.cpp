// What the emulation does to kernels that break the rules, and that it does nothing to those that do not.
#include "cuda_emulation/machine.hpp"

#include <cmath>
#include <vector>

#include "catch.hpp"
#include "cuda_emulation/buffer.hpp"
#include "kernels/orders.hpp"
#include "port.cuh"

using cuda_emulation::Buffer;
using lacuna::kernels::launch;

namespace {

template <class... Parameters, class... Arguments>
std::string failure_of(void (*kernel)(Parameters...), unsigned threads, const Arguments&... arguments) {
  try {
    launch({}, kernel, 1u, threads, 0, arguments...);
  } catch (const cuda_emulation::Error& error) {
    return error.what();
  }
  return "";
}
bool mentions(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

void indices(unsigned* out) {
  const unsigned block = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
  out[block * blockDim.x + threadIdx.x] = block * 1000 + threadIdx.x;
}
void reverse_block(unsigned* out) {
  LACUNA_SHARED(unsigned, seen, [100]);
  seen[threadIdx.x] = threadIdx.x;
  __syncthreads();
  out[threadIdx.x] = seen[blockDim.x - 1 - threadIdx.x];
}
void unwritten(float* out) {
  LACUNA_SHARED(float, never, [2]);
  LACUNA_DYNAMIC_SHARED(float, dynamic);
  out[0] = never[1];
  out[1] = dynamic[0];
}
void shuffles(int* out) {
  const int lane = static_cast<int>(threadIdx.x);
  out[lane] = __shfl_down_sync(0xffffffffu, lane, 3, 8);
  out[32 + lane] = __shfl_xor_sync(0xffffffffu, lane, 5);
}
void out_of_mask(float* out) {
  if (threadIdx.x < 16) out[threadIdx.x] = __shfl_down_sync(0x0000ffffu, 1.0f, 8);
}
void half_barrier() {
  if (threadIdx.x < 32) __syncthreads();
}
void two_barriers() {
  if (threadIdx.x < 32)
    __syncthreads();
  else
    __syncthreads();
}
void absent_lane() {
  if (threadIdx.x != 7) __syncwarp();
}
void own_lane_missing() {
  if (threadIdx.x == 3) __syncwarp(1u);
}
void too_much_shared(float* out) {
  LACUNA_SHARED(float, large, [13 * 1024]);
  out[0] = large[0];
}
void order_matters(unsigned* out) { *out = blockIdx.x * 100 + threadIdx.x; }

}  // namespace

TEST_CASE("Emulation: every thread of every block runs once and knows where it is") {
  lacuna::test::in_every_order([] {
    Buffer<unsigned> out(12 * 40);
    launch({}, &indices, dim3(3, 2, 2), 40, 0, out);
    for (unsigned i = 0; i < out.size(); ++i) CHECK(out[i] == i / 40 * 1000 + i % 40);
  });
}

TEST_CASE("Emulation: shared memory is one for the block, barriers order it, and it begins as NaN") {
  lacuna::test::in_every_order([] {
    Buffer<unsigned> out(100);
    launch({}, &reverse_block, 1u, 100, 0, out);
    for (unsigned i = 0; i < 100; ++i) CHECK(out[i] == 99 - i);
  });
  Buffer<float> none(2);
  launch({}, &unwritten, 1u, 1, 8, none);
  CHECK((std::isnan(none[0]) && std::isnan(none[1])));
}

TEST_CASE("Emulation: shuffles follow CUDA's rules for segments and masks") {
  Buffer<int> out(64);
  launch({}, &shuffles, 1u, 32, 0, out);
  for (int lane = 0; lane < 32; ++lane) {
    CHECK(out[static_cast<std::size_t>(lane)] == (lane % 8 + 3 < 8 ? lane + 3 : lane));
    CHECK(out[static_cast<std::size_t>(32 + lane)] == (lane ^ 5));
  }
  Buffer<float> part(16);
  launch({}, &out_of_mask, 1u, 32, 0, part);
  CHECK((part[7] == 1.0f && std::isnan(part[8])));  // lanes 8 to 15 asked lanes outside the mask
}

TEST_CASE("Emulation: a barrier that not all threads reach is an error that says where") {
  CHECK(mentions(failure_of(&half_barrier, 64), "not every thread of the block reaches"));
  CHECK(mentions(failure_of(&half_barrier, 64), "machine.cpp:"));
  CHECK(mentions(failure_of(&two_barriers, 64), "another barrier"));
}

TEST_CASE("Emulation: warp operations that cannot complete are errors") {
  CHECK(mentions(failure_of(&absent_lane, 32), "lanes that do not come"));
  CHECK(mentions(failure_of(&own_lane_missing, 32), "without its own lane"));
}

TEST_CASE("Emulation: impossible launches and shared memory beyond 48 KB are refused, and the machine works on after errors") {
  Buffer<float> out(1);
  CHECK(mentions(failure_of(&too_much_shared, 1, out), "shared memory"));
  CHECK(mentions(failure_of(&half_barrier, 1025), "1025 threads"));
  CHECK_THROWS_AS(launch({}, &half_barrier, dim3(1, 70000), 32, 0), cuda_emulation::Error);
  CHECK(failure_of(&half_barrier, 32).empty());
}

TEST_CASE("Emulation: the orders differ in what runs last") {
  if (cuda_emulation::sanitizers::thread) return;  // a race, and found as one
  std::vector<unsigned> last;
  lacuna::test::in_every_order([&] {
    Buffer<unsigned> out(1);
    launch({}, &order_matters, 5u, 60, 0, out);
    last.push_back(out[0]);
  });
  CHECK(last[0] == 459);
  CHECK(last[1] == 0);
}
