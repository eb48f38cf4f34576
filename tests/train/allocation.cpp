// A steady-state training step makes no heap allocation of the library's own. The C allocator is wrapped (operator new ends there
// too), and so is oneDNN's entry point, whose own allocations are counted apart.

#include "catch.hpp"
#include "lacuna/nn/fno.hpp"
#include "lacuna/nn/space_time_unet.hpp"
#include "lacuna/nn/unet.hpp"
#include "lacuna/ops/masked_loss.hpp"
#include "lacuna/train/optimizer.hpp"
#include "support/fill.hpp"

#if !defined(__GLIBC__) || defined(__SANITIZE_THREAD__) || defined(LACUNA_ADDRESS_SANITIZER)

TEST_CASE("Allocations: not counted here") { SUCCEED("a sanitizer or another C library has the allocator"); }

#else

#include <dlfcn.h>

#include <atomic>
#include <cerrno>

namespace {

struct Counts {
  std::atomic<bool> on = false;
  std::atomic<int> inside_library = 0;  // depth of calls into oneDNN; its threads allocate too, so this is no thread's own
  std::atomic<long> own = 0, library = 0;

  void hit() {
    if (on) ++(inside_library > 0 ? library : own);
  }
};
Counts counts;

}  // namespace

extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* block, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);

void* malloc(std::size_t size) {
  counts.hit();
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
  counts.hit();
  return __libc_calloc(count, size);
}
void* realloc(void* block, std::size_t size) {
  counts.hit();
  return __libc_realloc(block, size);
}
void* memalign(std::size_t alignment, std::size_t size) {
  counts.hit();
  return __libc_memalign(alignment, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  counts.hit();
  return __libc_memalign(alignment, size);
}
int posix_memalign(void** block, std::size_t alignment, std::size_t size) {
  counts.hit();
  *block = __libc_memalign(alignment, size);
  return *block != nullptr ? 0 : ENOMEM;
}

#ifdef LACUNA_HAS_ONEDNN
dnnl_status_t dnnl_primitive_execute(const_dnnl_primitive_t primitive, dnnl_stream_t stream, int count,
                                     const dnnl_exec_arg_t* arguments) {
  using Execute = decltype(&dnnl_primitive_execute);
  static const auto next = reinterpret_cast<Execute>(dlsym(RTLD_NEXT, "dnnl_primitive_execute"));
  ++counts.inside_library;
  const auto status = next(primitive, stream, count, arguments);
  --counts.inside_library;
  return status;
}
#endif
}

namespace {

using namespace lacuna;

#ifdef _OPENMP
constexpr int thread_counts[] = {1, 2};
#else
constexpr int thread_counts[] = {1};  // std::thread allocates each thread's state
#endif

struct Allocations {
  long own, library;
};

/// Allocations of the third step; the first plans, the second warms what libraries keep.
template <class Network>
Allocations in_a_step(cpu::Convolutions path, int threads, const typename Network::Settings& settings, Shape shape,
                      Profile* profile = nullptr) {
  cpu::Device device({.threads = threads, .convolutions = path});
  Parameters<float> parameters;
  const Network network(settings, parameters, 1);
  train::Optimizer<float> optimizer(parameters, {});
  shape.channels = settings.inputs;
  const auto values = test::normals<float>(shape.size(), 1);
  const auto target = test::normals<float>(shape.with_channels(settings.outputs).size(), 2);
  const auto query = test::coins(target.size(), 0.5f, 3);
  const std::vector<float> times(static_cast<std::size_t>(shape.batch), 0.5f);
  const auto step = [&] {
    const auto whole = Profile::step(profile);
    device.reset();
    parameters.zero_gradients();
    Graph<float> graph(device, parameters, Mode::train, false, profile);
    const auto input = graph.make(shape);
    std::copy(values.begin(), values.end(), input.data);
    const auto estimate = network(graph, input, times.data());
    ops::masked_loss(graph, estimate, target.data(), query.data());
    graph.backward();
    optimizer.step(parameters, 1e-3, threads);
  };
  step();
  step();
  counts.own = counts.library = 0;
  counts.on = true;
  step();
  counts.on = false;
  return {counts.own, counts.library};
}

Allocations in_an_ensemble(cpu::Convolutions path, int threads) {
  cpu::Device device({.threads = threads, .convolutions = path});
  Parameters<float> parameters;
  const nn::UNet unet({.hidden = 32}, parameters, 1);
  const Shape shape{.batch = 4, .height = 13, .width = 16, .channels = 2};
  const std::vector<float> times(4, 0.5f);
  const auto pass = [&] {
    device.reset();
    Graph<float> graph(device, parameters, Mode::infer);
    const auto input = graph.make(shape);
    std::fill_n(input.data, shape.size(), 0.5f);
    unet(graph, input, times.data());
  };
  pass();
  pass();
  counts.own = counts.library = 0;
  counts.on = true;
  pass();
  counts.on = false;
  return {counts.own, counts.library};
}

}  // namespace

TEST_CASE("Allocations: the counter counts") {
  counts.own = 0;
  counts.on = true;
  delete new volatile int(1);
  std::vector<double> some(1000, 1.0);
  counts.on = false;
  CHECK(counts.own >= 2);
}

TEST_CASE("Allocations: none of our own in a training step on Eigen") {
  for (const int threads : thread_counts) {
    const auto step = [threads](int hidden, const Shape& shape) {
      return in_a_step<nn::UNet>(cpu::Convolutions::eigen, threads, {.hidden = hidden}, shape).own;
    };
    CHECK(step(8, {.batch = 2, .height = 16, .width = 16}) == 0);
    CHECK(step(32, {.batch = 4, .height = 13, .width = 16}) == 0);
    CHECK(step(64, {.batch = 2, .height = 32, .width = 32}) == 0);
    for (const int hidden : {8, 16})
      CHECK(in_a_step<nn::SpaceTimeUNet>(cpu::Convolutions::eigen, threads, {.hidden = hidden},
                                         {.batch = 2, .frames = 3, .height = 13, .width = 16})
                .own == 0);
    CHECK(in_an_ensemble(cpu::Convolutions::eigen, threads).own == 0);
  }
}

TEST_CASE("Allocations: none where blocks are computed again, profiled or not") {
  const Shape grid{.batch = 2, .frames = 3, .height = 13, .width = 16};
  Profile profile;
  for (Profile* watching : {static_cast<Profile*>(nullptr), &profile})
    CHECK(in_a_step<nn::SpaceTimeUNet>(cpu::Convolutions::eigen, 1, {.hidden = 16, .recompute = true}, grid, watching).own == 0);
  CHECK(profile.steps() == 3);
}

TEST_CASE("Allocations: none in a training step of the Fourier neural operator, by products and by fast transforms") {
  const auto own = [](int threads, const nn::Fno::Settings& settings, const Shape& grid) {
    return in_a_step<nn::Fno>(cpu::Convolutions::eigen, threads, settings, grid).own;
  };
  for (const int threads : thread_counts) {
    CHECK(own(threads, {.hidden = 32, .modes = {8, 8}}, {.batch = 2, .height = 33, .width = 32}) == 0);
    CHECK(own(threads, {.hidden = 8, .modes = {64, 64}}, {.batch = 2, .height = 64, .width = 64}) == 0);
    CHECK(own(threads, {.hidden = 8, .modes = {2, 4, 4}}, {.batch = 2, .frames = 5, .height = 12, .width = 12}) == 0);
  }
}

#ifdef LACUNA_HAS_ONEDNN
TEST_CASE("Allocations: none of our own in a training step on oneDNN, whose own are reported") {
  for (const int threads : thread_counts) {
    for (const int hidden : {8, 32, 64}) {
      const auto step =
          in_a_step<nn::UNet>(cpu::Convolutions::onednn, threads, {.hidden = hidden}, {.batch = 4, .height = 13, .width = 16});
      CHECK(step.own == 0);
      WARN("oneDNN's own allocations in a step: " << step.library);
    }
    CHECK(in_a_step<nn::SpaceTimeUNet>(cpu::Convolutions::onednn, threads, {.hidden = 32},
                                       {.batch = 2, .frames = 3, .height = 13, .width = 16})
              .own == 0);
    CHECK(in_an_ensemble(cpu::Convolutions::onednn, threads).own == 0);
  }
}
#endif

#endif
