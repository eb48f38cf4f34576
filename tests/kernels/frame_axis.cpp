#include "frame_axis.cuh"

#include "catch.hpp"
#include "cuda_emulation/buffer.hpp"
#include "kernels/orders.hpp"
#include "kernels/scalars.hpp"
#include "lacuna/ops/frame_axis.hpp"
#include "support/probe.hpp"

using namespace lacuna;
using cuda_emulation::Buffer;

TEMPLATE_TEST_CASE("Frame axis kernels: copy there and back as the CPU does, aligned or not, in every order", "", float,
                   Bfloat16) {
  using S = TestType;
  for (const auto& c : {ops::FrameChannels{.frames = 3, .variables = 2, .kinds = 2, .shared = 1},
                        ops::FrameChannels{.frames = 4, .variables = 4, .kinds = 2, .shared = 8},
                        ops::FrameChannels{.frames = 2, .variables = 8, .kinds = 1, .shared = 16},
                        ops::FrameChannels{.frames = 1, .variables = 1, .kinds = 1, .shared = 0},
                        ops::FrameChannels{.frames = 5, .variables = 4, .kinds = 3, .shared = 0}})
    for (const std::size_t offset : {0u, 1u}) {
      const Shape packed{.batch = 2, .height = 7, .width = 31, .channels = c.packed()},
          apart{.batch = 2, .frames = c.frames, .height = 7, .width = 31, .channels = c.per_frame()};
      cpu::Device device({.threads = 1});
      Parameters<float> none;
      Graph<float> graph(device, none, Mode::infer);
      const auto x = test::as<S>(test::random_operand<float>(packed, 1).values);
      std::vector<S> expected(apart.size());
      ops::unpack_frames_forward(graph, x.data(), apart, c, expected.data());
      test::in_every_order([&] {
        INFO(c.frames << " frames of " << c.variables << " variables, " << c.kinds << " kinds, " << c.shared << " shared");
        const Buffer<S> from(x, offset), frames(apart.size(), offset);
        kernels::unpack_frames<S>({}, from, apart, c, frames);
        CHECK(test::same_bits(frames.content(), expected));
        CHECK(frames.intact());
        if (c.shared > 0) return;
        const Buffer<S> back(packed.size(), offset);
        kernels::pack_frames<S>({}, frames, apart, c, back);
        CHECK(test::same_bits(back.content(), x));
        CHECK(back.intact());
      });
    }
}
