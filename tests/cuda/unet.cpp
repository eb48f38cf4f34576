// The UNet on a GPU against the CPU: estimates and every gradient. Runs on the emulation, and where there is one on a GPU.
#include "lacuna/nn/unet.hpp"

#include "catch.hpp"
#include "cuda/passes.hpp"

using namespace lacuna;

TEST_CASE("UNet on a GPU: estimate, loss and every gradient are the CPU's") {
  if (!test::gpu()) return;
  struct Case {
    nn::UNet::Settings settings;
    Shape input;
  };
  const Case cases[] = {
      {{.inputs = 7, .outputs = 3, .hidden = 8}, {.batch = 2, .height = 8, .width = 12, .channels = 7}},
      {{.inputs = 3, .outputs = 1, .hidden = 6, .multipliers = {1, 2}}, {.batch = 1, .height = 9, .width = 7, .channels = 3}},
      {{.inputs = 2,
        .outputs = 2,
        .hidden = 4,
        .multipliers = {1, 1},
        .borders = {ops::Border::replicated, ops::Border::periodic}},
       {.batch = 3, .height = 6, .width = 8, .channels = 2}},
      {{.inputs = 4, .outputs = 2, .hidden = 8, .multipliers = {1, 2}, .recompute = true},
       {.batch = 1, .height = 8, .width = 8, .channels = 4}}};
  for (const auto& c : cases) test::check_same_pass<nn::UNet>(c.settings, c.input);
}

TEST_CASE("UNet on a GPU in bfloat16: within its rounding of the CPU's in float") {
  if (!test::gpu()) return;
  test::check_bfloat16_pass<nn::UNet>({.inputs = 4, .outputs = 2, .hidden = 16, .multipliers = {1, 2}},
                                      {.batch = 2, .height = 16, .width = 16, .channels = 4});
  test::check_bfloat16_pass<nn::UNet>(
      {.inputs = 7, .outputs = 3, .hidden = 8, .borders = {ops::Border::replicated, ops::Border::periodic}},
      {.batch = 2, .height = 8, .width = 12, .channels = 7});
}
