// Bytes that launches of the space-time UNet's and the Fourier neural operator's kernels read and write, as in traffic.cpp.
#include "catch.hpp"
#include "conditioned_linear.cuh"
#include "cuda_emulation/buffer.hpp"
#include "cuda_emulation/traffic/arrays.hpp"
#include "cuda_emulation/traffic/traffic.hpp"
#include "frame_axis.cuh"
#include "gated_add.cuh"
#include "kernels/norm_blocks.hpp"
#include "kernels/scalars.hpp"
#include "layer_norm.cuh"
#include "linear_attention.cuh"
#include "spatial_attention.cuh"
#include "spectral_band.cuh"
#include "spectral_mixing.cuh"
#include "support/fill.hpp"
#include "temporal_attention.cuh"

using namespace lacuna;
using cuda_emulation::Buffer;
using cuda_emulation::take_traffic;
using cuda_emulation::Traffic;

namespace {

using test::Arrays;
using test::norm_blocks;

}  // namespace

TEMPLATE_TEST_CASE("Traffic: temporal attention, forward and backward", "", float, Bfloat16) {
  using S = TestType;
  for (const int features : {4, 6})
    for (const std::size_t pixels : {3u, 70u}) {
      constexpr int frames = 5, heads = 2;
      const std::size_t width = heads * static_cast<std::size_t>(features), cells = frames * pixels, n = cells * width,
                        distances = heads * (2 * frames - 1), angles = static_cast<std::size_t>(frames * features / 2);
      constexpr std::size_t bytes = sizeof(S);
      const Buffer<S> qkv(test::as<S>(test::normals<float>(3 * n, 1))), grad_o(test::as<S>(test::normals<float>(n, 5))), o(n),
          grad_qkv(3 * n);
      const Buffer<float> cosine(test::normals<float>(angles, 2)), sine(test::normals<float>(angles, 3)),
          bias(test::normals<float>(32 * heads, 4)), grad_bias(std::vector<float>(32 * heads, 0.0f));
      kernels::TemporalAttention<S> t{qkv, cosine, sine, bias, nullptr, o, nullptr, pixels, 1, frames, heads, features};
      const std::size_t tables = 8 * angles + 4 * distances;
      take_traffic();
      kernels::temporal_attention_forward<S>({}, t);
      CHECK((take_traffic() == Traffic{3 * bytes * n + kernels::TemporalPlan::of(t, false).blocks * tables, bytes * n}));
      const Buffer<float> sums(kernels::temporal_attention_sums(t));
      t.grad_o = grad_o;
      t.result = grad_qkv;
      t.sums = sums;
      kernels::temporal_attention_backward<S>({}, t, grad_bias);
      const std::size_t blocks = kernels::TemporalPlan::of(t, true).blocks;
      CHECK((take_traffic() == Traffic{4 * bytes * n + blocks * tables + 4 * blocks * distances + 128 * heads,
                                       3 * bytes * n + 4 * blocks * distances + 128 * heads}));
    }
}

TEMPLATE_TEST_CASE("Traffic: linear and spatial attention, forward and backward", "", float, Bfloat16) {
  using S = TestType;
  constexpr std::size_t images = 2, heads = 2, units = images * heads, bytes = sizeof(S);
  for (const int features : {8, 6})
    for (const int positions : {5, 300}) {
      const auto f = static_cast<std::size_t>(features), rows = static_cast<std::size_t>(positions), n = units * rows * f;
      const Buffer<S> qkv(test::as<S>(test::normals<float>(3 * n, 1))), grad_o(test::as<S>(test::normals<float>(n, 2))), o(n),
          grad_qkv(3 * n);
      kernels::PositionAttention<S> a{qkv, nullptr, o, nullptr, images, positions, heads, features};
      auto back = a;
      back.grad_o = grad_o;
      back.grad_qkv = grad_qkv;

      const auto plan = kernels::LinearAttentionPlan::of(a);
      const Buffer<float> states(units * f * (f + 2)), partial(plan.forward_workspace()), sums(plan.backward_workspace());
      const std::size_t blocks = units * plan.runs, state = 4 * f * (f + 2), context = 4 * f * f;
      take_traffic();
      kernels::linear_attention_forward<S>({}, a, states, partial);
      CHECK((take_traffic() == Traffic{3 * bytes * n + blocks * (state + context), bytes * n + (blocks + units) * state}));
      kernels::linear_attention_backward<S>({}, back, states, sums);
      CHECK((take_traffic() ==
             Traffic{4 * bytes * n + blocks * (4 * context + 8 * f), 4 * bytes * n + (blocks + units) * context}));

      const Buffer<float> statistics(kernels::SpatialStatistics::size(a));
      const std::size_t tiles = kernels::SpatialPlan::forward(features).tiles(positions),
                        query_tiles = kernels::SpatialPlan::queries(features).tiles(positions),
                        key_tiles = kernels::SpatialPlan::keys(features).tiles(positions), of_queries = 12 * units * rows;
      take_traffic();
      kernels::spatial_attention_forward<S>({}, a);
      const Traffic forward{(1 + 2 * tiles) * bytes * n, bytes * n};
      CHECK((take_traffic() == forward));
      kernels::spatial_attention_backward<S>({}, back, statistics);
      CHECK((take_traffic() ==
             Traffic{(2 + 2 * tiles + 2 + 2 * query_tiles + 2 + 2 * key_tiles) * bytes * n + (1 + key_tiles) * of_queries,
                     4 * bytes * n + of_queries}));
    }
}

TEMPLATE_TEST_CASE("Traffic: angles of the rotary embedding and frames as an axis", "", float, Bfloat16) {
  const Buffer<float> frequencies(test::normals<float>(7, 1)), tables(2 * 7 * 11);
  take_traffic();
  kernels::rotary_tables({}, frequencies, 11, 7, tables);
  CHECK((take_traffic() == Traffic{4 * 7 * 11, 8 * 7 * 11}));
  for (const int variables : {3, 8}) {
    const ops::FrameChannels c{.frames = 5, .variables = variables, .kinds = 2};
    const Shape apart{.batch = 2, .frames = 5, .height = 6, .width = 9, .channels = c.per_frame()};
    const std::size_t n = apart.size();
    constexpr std::size_t bytes = sizeof(TestType);
    const Arrays<TestType> a(n);
    take_traffic();
    kernels::unpack_frames<TestType>({}, a[0], apart, c, a[1]);
    CHECK((take_traffic() == Traffic{bytes * n, bytes * n}));
    kernels::pack_frames<TestType>({}, a[0], apart, c, a[1]);
    CHECK((take_traffic() == Traffic{bytes * n, bytes * n}));
  }
}

TEMPLATE_TEST_CASE("Traffic: layer norm, forward and backward", "", float, Bfloat16) {
  using S = TestType;
  constexpr std::size_t batch = 2, pixels = 301, bytes = sizeof(S);
  for (const int channels : {6, 32, 300}) {
    const auto c = static_cast<std::size_t>(channels), n = batch * pixels * c;
    const Arrays<S> a(n);
    const std::size_t blocks = batch * kernels::norm_runs<S>(pixels, channels);
    const auto [groups, forward_blocks] = norm_blocks<S>(pixels, batch, channels);
    const Buffer<float> gain(test::normals<float>(c, 6)), sums(blocks * c), grad_gain(std::vector<float>(c, 0.0f));
    const kernels::Norm<S> norm{a[0], gain, nullptr, a[1], a[2], sums, pixels, static_cast<int>(batch), channels};
    take_traffic();
    kernels::layer_norm_forward<S>({}, norm);
    CHECK((take_traffic() == Traffic{bytes * n + forward_blocks * groups * 4 * c, bytes * n}));
    kernels::layer_norm_backward<S>({}, norm, grad_gain);
    CHECK((take_traffic() ==
           Traffic{2 * bytes * n + blocks * groups * 4 * c + 4 * blocks * c + 4 * c, bytes * n + 4 * c * blocks + 4 * c}));
  }
}

TEMPLATE_TEST_CASE("Traffic: gated add, forward and backward", "", float, Bfloat16) {
  using S = TestType;
  constexpr std::size_t batch = 2, pixels = 301, bytes = sizeof(S);
  for (const int channels : {6, 32, 300}) {
    const auto c = static_cast<std::size_t>(channels), n = batch * pixels * c;
    const Arrays<S> a(n);
    const std::size_t blocks = batch * kernels::norm_runs<S>(pixels, channels);
    const auto [groups, forward_blocks] = norm_blocks<S>(pixels, batch, channels);
    const Buffer<float> gate(test::normals<float>(c, 6)), sums(blocks * c), grad_gate(std::vector<float>(c, 0.0f));
    const kernels::Norm<S> norm{a[0], gate, nullptr, a[1], a[2], sums, pixels, static_cast<int>(batch), channels};
    take_traffic();
    kernels::gated_add<S>({}, norm);
    CHECK((take_traffic() == Traffic{2 * bytes * n + forward_blocks * groups * 4 * c, bytes * n}));
    for (const bool added : {false, true}) {
      kernels::gated_add_backward<S>({}, norm, added, grad_gate);
      CHECK((take_traffic() == Traffic{(added ? 3 : 2) * bytes * n + blocks * groups * 4 * c + 4 * blocks * c + 4 * c,
                                       bytes * n + 4 * c * blocks + 4 * c}));
    }
  }
}

TEST_CASE("Traffic: spectral mixing") {
  for (const auto& [blocks, in, out] : {std::array{3, 8, 36}, std::array{35, 7, 33}}) {
    constexpr int modes = 3;
    const auto bytes = [](int rows, int columns) { return 8 * static_cast<std::size_t>(modes * rows * columns); };
    const auto tiles = [](int n) { return static_cast<std::size_t>((n + 31) / 32); };
    Buffer<float> x(test::normals<float>(bytes(blocks, in) / 4, 1)), weight(test::normals<float>(bytes(in, out) / 4, 2)),
        y(test::normals<float>(bytes(blocks, out) / 4, 3));
    const kernels::SpectralMixing sizes{blocks, modes, in, out};
    take_traffic();
    kernels::spectral_mixing_forward({}, sizes, x, weight, y);
    CHECK((take_traffic() == Traffic{bytes(blocks, in) * tiles(out) + bytes(in, out) * tiles(blocks), bytes(blocks, out)}));
    kernels::spectral_mixing_input_gradient({}, sizes, y, weight, x);
    CHECK((take_traffic() == Traffic{bytes(blocks, out) * tiles(in) + bytes(in, out) * tiles(blocks), bytes(blocks, in)}));
    kernels::spectral_mixing_weight_gradient({}, sizes, x, y, weight);
    CHECK((take_traffic() ==
           Traffic{bytes(blocks, in) * tiles(out) + bytes(blocks, out) * tiles(in) + bytes(in, out), bytes(in, out)}));
  }
}

TEMPLATE_TEST_CASE("Traffic: conditioned linear", "", float, Bfloat16) {
  constexpr std::size_t bytes = sizeof(TestType);
  for (const int channels : {3, 32}) {
    constexpr std::size_t batch = 2, cells = 2 * 9 * 31, parts = 4;
    const kernels::Conditioning sizes{{2, 9, 31}, static_cast<int>(batch), channels, 3, 5};
    const auto c = static_cast<std::size_t>(channels), n = batch * cells * c;
    const auto plan = sizes.plan<TestType>();
    const std::size_t blocks = batch * plan.runs, readers = blocks * plan.groups;
    const Arrays<TestType> a(n);
    Buffer<float> bias(test::normals<float>(c, 6)), features(test::normals<float>(batch * c, 7)),
        weight(test::normals<float>(5 * c, 8)), workspace(sizes.workspace<TestType>()), sums(sizes.sums());
    take_traffic();
    kernels::condition<TestType>({}, sizes, bias, features, weight, a[0]);
    CHECK((take_traffic() == Traffic{bytes * n + readers * 4 * 5 * c, bytes * n}));
    kernels::condition<TestType>({}, sizes, bias, nullptr, weight, a[0]);
    CHECK((take_traffic() == Traffic{bytes * n + readers * 4 * 4 * c, bytes * n}));
    kernels::condition_backward<TestType>({}, sizes, a[0], workspace, sums, bias, weight);
    const std::size_t columns = 4 * parts * c;  // bytes of a row of sums
    CHECK((take_traffic() ==
           Traffic{bytes * n + blocks * columns + (batch + 1) * columns, blocks * columns + batch * columns + columns}));
  }
}

TEST_CASE("Traffic: spectral band") {
  for (const unsigned channels : {3u, 8u})
    for (const unsigned width : {9u, 10u}) {
      const kernels::SpectralBand band{2, 7, width, 1, 3, 3, channels};  // odd numbers of modes have their conjugates
      const std::size_t modes = band.modes() * channels, alone = band.modes() / 3 * channels, all = band.frequencies() * channels;
      const Buffer<float> from(test::normals<float>(2 * all, 1)), spectrum(test::normals<float>(2 * modes, 2));
      take_traffic();
      kernels::crop_modes({}, from, band, {1, 1}, spectrum);
      CHECK((take_traffic() == Traffic{8 * modes, 8 * modes}));
      kernels::pad_modes({}, spectrum, band, {1, 1}, from);
      CHECK((take_traffic() == Traffic{8 * (modes + alone), 8 * all}));
    }
}
