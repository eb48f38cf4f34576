// The space-time UNet on a GPU against the CPU: estimates and every gradient. Runs on the emulation, and where there is one on a
// GPU.
#include "lacuna/nn/space_time_unet.hpp"

#include "catch.hpp"
#include "cuda/passes.hpp"

using namespace lacuna;

TEST_CASE("Space-time UNet on a GPU: estimate, loss and every gradient are the CPU's") {
  if (!test::gpu()) return;
  struct Case {
    nn::SpaceTimeUNet::Settings settings;
    Shape input;
  };
  const Case cases[] = {
      {{.inputs = 3, .outputs = 2, .hidden = 8, .multipliers = {1, 2}, .spatial_features = 8},
       {.batch = 2, .frames = 3, .height = 8, .width = 12, .channels = 3}},
      {{.inputs = 2, .outputs = 1, .hidden = 6, .multipliers = {1, 1}, .heads = 3, .spatial_features = 6, .temporal_features = 2},
       {.batch = 1, .frames = 5, .height = 9, .width = 7, .channels = 2}},
      {{.inputs = 2,
        .outputs = 2,
        .hidden = 4,
        .multipliers = {2},
        .heads = 1,
        .spatial_features = 3,
        .borders = {ops::Border::replicated, ops::Border::periodic}},
       {.batch = 3, .frames = 1, .height = 5, .width = 11, .channels = 2}},
      {{.inputs = 4, .outputs = 1, .hidden = 4, .multipliers = {1, 2}, .recompute = true},
       {.batch = 1, .frames = 2, .height = 8, .width = 6, .channels = 4}}};
  for (const auto& c : cases) test::check_same_pass<nn::SpaceTimeUNet>(c.settings, c.input);
}

TEST_CASE("Space-time UNet on a GPU in bfloat16: within its rounding of the CPU's in float") {
  if (!test::gpu()) return;
  test::check_bfloat16_pass<nn::SpaceTimeUNet>(
      {.inputs = 3, .outputs = 2, .hidden = 16, .multipliers = {1, 2}, .spatial_features = 8},
      {.batch = 2, .frames = 3, .height = 8, .width = 12, .channels = 3});
  test::check_bfloat16_pass<nn::SpaceTimeUNet>({.inputs = 2,
                                                .outputs = 1,
                                                .hidden = 12,
                                                .multipliers = {1, 1},
                                                .heads = 3,
                                                .spatial_features = 6,
                                                .temporal_features = 10},
                                               {.batch = 1, .frames = 5, .height = 9, .width = 7, .channels = 2});
}
