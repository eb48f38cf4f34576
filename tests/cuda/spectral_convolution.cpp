// The spectral convolution on a GPU against the CPU, by products and by cuFFT. Runs on the emulation, and where there is one on a
// GPU.
#include "lacuna/ops/spectral_convolution.hpp"

#include "catch.hpp"
#include "cuda/passes.hpp"
#include "lacuna/cuda/ops.hpp"
#include "lacuna/nn/layers.hpp"

using namespace lacuna;
using Catch::Matchers::Contains;

namespace {

/// Two of them, so that the second's gradient of its input counts.
struct Layers {
  struct Settings {
    int inputs, outputs;
    ops::SpectralModes modes;
  };
  template <class T>
  Layers(const Settings& s, Parameters<T>& parameters, std::uint64_t seed) {
    const nn::Builder<T> b(parameters, seed);
    first = b.spectral("first", s.inputs, 3, s.modes);
    second = b.spectral("second", 3, s.outputs, s.modes);
  }
  template <class T, class D>
  Variable<T> operator()(Graph<T, D>& g, const Variable<T>& x, const T*) const {
    return ops::spectral_convolution(g, second, ops::spectral_convolution(g, first, x));
  }
  ops::SpectralParameters first, second;
};

bool used_cufft() {
#ifndef __CUDACC__
  for (const auto& call : cuda_emulation::controls().log)
    if (call.name.starts_with("cufft")) return true;
  return false;
#else
  return true;
#endif
}

}  // namespace

TEST_CASE("spectral convolution on a GPU: by products, where few modes are kept") {
  if (!test::gpu()) return;
  test::check_same_pass<Layers>({2, 1, {0, 4, 6}}, {.batch = 2, .height = 9, .width = 11, .channels = 2});
  test::check_same_pass<Layers>({1, 2, {3, 4, 2}}, {.batch = 2, .frames = 3, .height = 4, .width = 2, .channels = 1});
#ifndef __CUDACC__
  CHECK(!used_cufft());
#endif
}

TEST_CASE("spectral convolution on a GPU: by cuFFT, where many modes are kept") {
  if (!test::gpu()) return;
  test::check_same_pass<Layers>({1, 1, {0, 64, 64}}, {.batch = 2, .height = 64, .width = 64, .channels = 1});
  test::check_same_pass<Layers>({2, 1, {0, 65, 66}}, {.batch = 1, .frames = 3, .height = 67, .width = 67, .channels = 2});
  test::check_same_pass<Layers>({1, 4, {3, 64, 70}}, {.batch = 2, .frames = 4, .height = 65, .width = 71, .channels = 1});
  CHECK(used_cufft());
}

TEST_CASE("spectral convolution on a GPU: more modes than cells are named, few or many") {
  if (!test::gpu()) return;
  for (const int modes : {8, 800}) {
    test::Operands<Layers> o({1, 1, {0, modes, 4}}, {.batch = 1, .height = 7, .width = 9, .channels = 1});
    CHECK_THROWS_WITH(test::on_gpu(o), Contains(text(modes, " modes on 7 cells")));
  }
}

#ifndef __CUDACC__
TEST_CASE("spectral convolution on a GPU: a failing transform is named") {
  if (!test::gpu()) return;
  const Shape shape{.batch = 1, .height = 64, .width = 64, .channels = 1};
  test::Operands<Layers> o({1, 1, {0, 64, 64}}, shape);
  cuda_emulation::controls().fail_library_call = 1;
  CHECK_THROWS_WITH(test::on_gpu(o), Contains("cuFFT: cannot run the Fourier transform of 1 channels of 64 x 64 cells"));
}
#endif
