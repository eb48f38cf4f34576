#include "frame_axis.cuh"

#include "catch.hpp"
#include "cuda_emulation/buffer.hpp"
#include "kernels/orders.hpp"
#include "lacuna/ops/frame_axis.hpp"
#include "support/probe.hpp"

using namespace lacuna;
using cuda_emulation::Buffer;

TEST_CASE("Frame axis kernels: copy there and back as the CPU does, aligned or not, in every order") {
  for (const auto& c : {ops::FrameChannels{.frames = 3, .variables = 2, .kinds = 2, .shared = 1},
                        ops::FrameChannels{.frames = 4, .variables = 4, .kinds = 2, .shared = 8},
                        ops::FrameChannels{.frames = 1, .variables = 1, .kinds = 1, .shared = 0},
                        ops::FrameChannels{.frames = 5, .variables = 4, .kinds = 3, .shared = 0}})
    for (const std::size_t offset : {0u, 1u}) {
      const Shape packed{.batch = 2, .height = 7, .width = 31, .channels = c.packed()},
          apart{.batch = 2, .frames = c.frames, .height = 7, .width = 31, .channels = c.per_frame()};
      cpu::Device device({.threads = 1});
      Parameters<float> none;
      Graph<float> graph(device, none, Mode::infer);
      const auto x = test::random_operand<float>(packed, 1);
      std::vector<float> expected(apart.size());
      ops::unpack_frames_forward(graph, x.values.data(), apart, c, expected.data());
      test::in_every_order([&] {
        INFO(c.frames << " frames of " << c.variables << " variables, " << c.kinds << " kinds, " << c.shared << " shared");
        const Buffer<float> from(x.values, offset), frames(apart.size(), offset);
        kernels::unpack_frames({}, from, apart, c, frames);
        CHECK(frames.content() == expected);
        CHECK(frames.intact());
        if (c.shared > 0) return;
        const Buffer<float> back(packed.size(), offset);
        kernels::pack_frames({}, frames, apart, c, back);
        CHECK(back.content() == x.values);
        CHECK(back.intact());
      });
    }
}
