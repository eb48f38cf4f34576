// Bytes that each launch reads and writes, counted access by access, against what the kernel's comment says: the least possible.
#include "cuda_emulation/traffic/traffic.hpp"

#include <array>

#include "accumulate.cuh"
#include "activation.cuh"
#include "adam.cuh"
#include "assemble.cuh"
#include "canvas.cuh"
#include "cast.cuh"
#include "catch.hpp"
#include "column_sums.cuh"
#include "concatenate.cuh"
#include "cuda_emulation/buffer.hpp"
#include "cuda_emulation/traffic/arrays.hpp"
#include "ensemble.cuh"
#include "epilogue.cuh"
#include "filter_layout.cuh"
#include "kernels/norm_blocks.hpp"
#include "kernels/scalars.hpp"
#include "masked_loss.cuh"
#include "rms_norm_parameters.cuh"
#include "rms_norm_silu.cuh"
#include "support/fill.hpp"
#include "time_embedding.cuh"

using namespace lacuna;
using cuda_emulation::Buffer;
using cuda_emulation::take_traffic;
using cuda_emulation::Traffic;

namespace {

constexpr std::size_t sizes[] = {1, 30, 1024, 5003};

using test::Arrays;
using Floats = Arrays<float>;

}  // namespace

TEST_CASE("Traffic: masked loss") {
  for (const std::size_t n : sizes) {
    const std::size_t blocks = kernels::blocks_for(n);
    const Floats f(n);
    Buffer<std::uint8_t> query(test::coins(n, 0.5f, 1));
    Buffer<float> sums(blocks), result(2);
    Buffer<unsigned> counts(blocks);
    take_traffic();
    kernels::count_queried({}, query, n, counts);
    CHECK((take_traffic() == Traffic{n, 4 * blocks}));
    kernels::masked_loss({}, f[0], f[1], query, n, {sums, counts, static_cast<unsigned>(blocks)}, f[2], result);
    CHECK((take_traffic() == Traffic{9 * n + 4 * blocks * blocks + 8 * blocks, 4 * n + 4 * blocks + 8}));
  }
}

TEST_CASE("Traffic: Adam") {
  for (const std::size_t n : sizes) {
    const std::size_t blocks = kernels::blocks_for(n);
    const Floats f(n);
    Buffer<float> sums(blocks), norm(1);
    Buffer<train::AdamStep<float>> coefficients(std::vector<train::AdamStep<float>>{{1, 0.9f, 0.99f, 0.1f, 1, 1e-8f, 0.9f}});
    take_traffic();
    kernels::adam({}, {f[0], f[1], f[2], f[3], f[4]}, n, coefficients, 1.0f, sums, norm);
    const std::size_t from_cache = sizeof(train::AdamStep<float>) * kernels::block_size * blocks;
    CHECK((take_traffic() == Traffic{(4 + 20) * n + 4 * blocks * blocks + from_cache, 4 * blocks + 16 * n + 4}));
  }
}

TEST_CASE("Traffic: ensemble") {
  constexpr int height = 20, width = 30, members = 3;
  constexpr std::size_t n = 6 * height * width;
  const Floats f(n);
  Buffer<float> answers(test::normals<float>(members * n, 6));
  const auto in_context = test::coins(n, 0.5f, 1);
  Buffer<std::uint8_t> context(in_context);
  std::size_t seen = 0;
  for (const auto c : in_context) seen += c;
  const std::vector<float> scale(2, 1.0f);
  const std::vector<train::SampleView> samples(members, {.patch = {0, 0, height, width},
                                                         .grid_width = width,
                                                         .values = f[0],
                                                         .context = context,
                                                         .query = nullptr,
                                                         .background = f[1],
                                                         .climate = nullptr,
                                                         .place = nullptr,
                                                         .season = nullptr,
                                                         .scale = scale.data(),
                                                         .sigma = 0.5f});
  sampler::EnsemblePass pass{.shape = {{.frames = 3, .variables = 2, .background = true}, members, height, width},
                             .answers = {samples.data(), answers},
                             .core = {0, 0, height, width},
                             .grid_height = height,
                             .grid_width = width,
                             .weights = f[2],
                             .mean = f[3],
                             .deviation = f[4]};
  take_traffic();
  kernels::ensemble({}, pass);
  CHECK((take_traffic() == Traffic{(8 * members + 4) * n, 8 * n}));
  pass.before = members;
  pass.last = true;
  kernels::ensemble({}, pass);
  CHECK((take_traffic() == Traffic{(8 * members + 4 + 8 + 4) * n, 8 * n}));
  pass.noisy = 0.5f;
  kernels::ensemble({}, pass);
  CHECK((take_traffic() == Traffic{(9 * members + 4 + 8 + 4) * n + 4 * members * seen, 8 * n}));
}

TEMPLATE_TEST_CASE("Traffic: epilogue and concatenation", "", float, Bfloat16) {
  using S = TestType;
  constexpr std::size_t bytes = sizeof(S);
  for (const std::size_t cells : {1u, 31u, 300u})
    for (const int channels : {3, 16}) {
      const std::size_t n = cells * static_cast<std::size_t>(channels);
      const Arrays<S> a(n);
      const Buffer<float> bias(test::normals<float>(n, 6));
      take_traffic();
      kernels::epilogue<ops::Silu, S>({}, a[0], nullptr, nullptr, cells, channels, a[1]);
      CHECK((take_traffic() == Traffic{bytes * n, bytes * n}));
      kernels::epilogue<ops::Silu, S>({}, a[0], bias, a[3], cells, channels, a[1]);
      CHECK((take_traffic() == Traffic{(2 * bytes + 4) * n, bytes * n}));
      const int left = channels / 2, right = channels - left;
      kernels::concatenate<S>({}, a[0], a[1], cells, left, right, a[2]);
      CHECK((take_traffic() == Traffic{bytes * n, bytes * n}));
      kernels::split<S>({}, a[2], cells, left, right, a[0], a[1]);
      CHECK((take_traffic() == Traffic{bytes * n, bytes * n}));
    }
}

TEMPLATE_TEST_CASE("Traffic: RMSNorm + SiLU, forward and backward", "", float, Bfloat16) {
  using S = TestType;
  constexpr std::size_t batch = 2, pixels = 301, bytes = sizeof(S);
  for (const int channels : {6, 16, 32, 300}) {
    const auto c = static_cast<std::size_t>(channels), n = batch * pixels * c;
    const Arrays<S> a(n);
    const std::size_t runs = kernels::norm_runs<S>(pixels, channels), blocks = batch * runs;
    const auto [groups, forward_blocks] = test::norm_blocks<S>(pixels, batch, channels);
    Buffer<float> gain(test::normals<float>(c, 6)), scale_shift(test::normals<float>(batch * 2 * c, 7)), sums(blocks * 2 * c),
        grad_gain(std::vector<float>(c, 0.0f)), grad_scale_shift(batch * 2 * c);
    kernels::Norm<S> norm{a[0], gain, scale_shift, a[1], a[2], nullptr, pixels, static_cast<int>(batch), channels};
    take_traffic();
    kernels::norm_forward<S>({}, norm);
    CHECK((take_traffic() == Traffic{2 * bytes * n + forward_blocks * groups * 12 * c, bytes * n}));
    norm.sums = sums;
    kernels::norm_backward<S>({}, norm);
    CHECK((take_traffic() == Traffic{2 * bytes * n + blocks * groups * 12 * c, bytes * n + 8 * c * blocks}));
    kernels::norm_parameters({}, {sums, gain, scale_shift, grad_gain, grad_scale_shift, static_cast<int>(batch), channels,
                                  static_cast<unsigned>(runs)});
    CHECK((take_traffic() == Traffic{8 * blocks * c + 8 * c + 4 * batch * c, 4 * c + 8 * batch * c}));
  }
}

TEST_CASE("Traffic: assembly") {
  constexpr int height = 20, width = 30;
  constexpr std::size_t cells = height * width, fields = 6, n = cells * fields;
  const Floats f(n);
  Buffer<float> place(test::normals<float>(cells * 3, 6)), season(test::normals<float>(2, 7)), target(n);
  const auto in_context = test::coins(n, 0.6f, 1), in_query = test::coins(n, 0.3f, 2);
  Buffer<std::uint8_t> context(in_context), query(in_query), query_out(n);
  const std::vector<float> scale(2, 1.0f);
  train::SampleView sample{.patch = {0, 0, height, width},
                           .grid_width = width,
                           .values = f[0],
                           .context = context,
                           .query = query,
                           .background = f[1],
                           .climate = f[2],
                           .place = place,
                           .season = season,
                           .scale = scale.data(),
                           .sigma = 0.5f};
  std::size_t used = 0, seen = 0;
  for (std::size_t i = 0; i < n; ++i) used += in_context[i] | in_query[i], seen += in_context[i];
  for (const bool shown : {false, true}) {
    const train::InputLayout layout{
        .frames = 3, .variables = 2, .background = true, .climate = true, .place = 3, .season = 2, .query = shown};
    const train::BatchShape shape{layout, 1, height, width};
    const std::size_t blocks = kernels::AssemblePlan::of(shape).blocks,
                      input_bytes = 4 * cells * static_cast<std::size_t>(layout.channels());
    Buffer<unsigned> counts(blocks);
    Buffer<float> input(input_bytes / 4);
    sample.query = query;
    take_traffic();
    kernels::assemble({}, &sample, {shape, input, target, query_out, counts}, schedule::NoiseMatching{});
    CHECK((take_traffic() == Traffic{2 * n + 4 * used + 8 * n + 4 * 5 * cells, input_bytes + 5 * n + 4 * blocks}));
    if (shown) continue;
    sample.query = nullptr;
    kernels::assemble({}, &sample, {shape, input});
    CHECK((take_traffic() == Traffic{n + 4 * seen + 8 * n + 4 * 5 * cells, input_bytes}));
  }
}

TEMPLATE_TEST_CASE("Traffic: accumulation, activations and casts", "", float, Bfloat16) {
  using Other = std::conditional_t<std::is_same_v<TestType, float>, Bfloat16, float>;
  constexpr std::size_t bytes = sizeof(TestType);
  for (const std::size_t n : sizes) {
    const Arrays<TestType> a(n);
    Buffer<Other> other(n);
    take_traffic();
    kernels::accumulate<TestType>({}, a[0], a[1], n);
    CHECK((take_traffic() == Traffic{2 * bytes * n, bytes * n}));
    kernels::activation<ops::Gelu, TestType>({}, a[0], n, a[1]);
    CHECK((take_traffic() == Traffic{bytes * n, bytes * n}));
    kernels::activation_gradient<ops::Gelu, TestType>({}, a[0], a[1], n, a[2]);
    CHECK((take_traffic() == Traffic{2 * bytes * n, bytes * n}));
    kernels::cast<TestType, Other>({}, a[0], n, other);
    CHECK((take_traffic() == Traffic{bytes * n, sizeof(Other) * n}));
  }
}

TEMPLATE_TEST_CASE("Traffic: canvas and column sums", "", float, Bfloat16) {
  constexpr std::size_t bytes = sizeof(TestType);
  for (const int channels : {3, 8}) {
    const Shape image{.batch = 2, .height = 9, .width = 11, .channels = channels};
    const ops::Window window{-2, -1, 12, 10};  // 9 rows and 9 columns of it lie on the image
    const std::size_t shown = std::size_t{2} * 12 * 10 * static_cast<std::size_t>(channels),
                      inside = std::size_t{2} * 9 * 9 * static_cast<std::size_t>(channels);
    const Arrays<TestType> a(shown);
    take_traffic();
    for (const auto border : {ops::Border::zero, ops::Border::periodic, ops::Border::replicated}) {
      const std::size_t seen = border == ops::Border::zero ? inside : shown;
      kernels::canvas<TestType>({}, a[0], image, window, {border, border}, a[1]);
      CHECK((take_traffic() == Traffic{bytes * seen, bytes * shown}));
      kernels::canvas_gradient<TestType>({}, a[1], image, window, {border, border}, a[0]);
      CHECK((take_traffic() == Traffic{bytes * seen, bytes * image.size()}));
    }
    for (const std::size_t rows : {1u, 300u}) {
      const auto c = static_cast<std::size_t>(channels);
      const std::size_t partial = kernels::column_sums_workspace<TestType>(rows, channels);
      const Arrays<TestType> x(rows * c);
      Buffer<float> workspace(partial), sums(std::vector<float>(c, 0.0f));
      take_traffic();
      kernels::column_sums<TestType>({}, x[0], rows, channels, workspace, sums);
      CHECK((take_traffic() == Traffic{bytes * rows * c + 4 * partial + 4 * c, 4 * partial + 4 * c}));
    }
  }
}

TEST_CASE("Traffic: filter layout and time embedding") {
  const std::size_t n = std::size_t{40} * 9 * 33;
  const Floats f(n);
  take_traffic();
  kernels::reorder_filter({}, f[0], 40, 9, 33, f[1]);
  CHECK((take_traffic() == Traffic{4 * n, 4 * n}));
  kernels::add_reordered_filter({}, f[1], 40, 9, 33, f[0]);
  CHECK((take_traffic() == Traffic{8 * n, 4 * n}));
  kernels::time_embedding({}, f[0], 7, 64, f[1]);
  CHECK((take_traffic() == Traffic{4 * 7 * 32, 8 * 7 * 32}));
}

TEST_CASE("Traffic: an access too many shows") {
  const auto twice = +[](const float* p, float* out) { out[threadIdx.x] = p[threadIdx.x] + p[threadIdx.x / 2]; };
  const Floats f(32);
  take_traffic();
  kernels::launch({}, twice, 1u, 32, 0, f[0], f[1]);
  CHECK((take_traffic() == Traffic{2 * 32 * 4, 32 * 4}));
}
