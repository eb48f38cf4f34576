// The Fourier neural operator on a GPU against the CPU: estimates and every gradient. Runs on the emulation, and where there is
// one on a GPU.
#include "lacuna/nn/fno.hpp"

#include "catch.hpp"
#include "cuda/passes.hpp"

using namespace lacuna;

TEST_CASE("Fno on a GPU: estimate, loss and every gradient are the CPU's") {
  if (!test::gpu()) return;
  struct Case {
    nn::Fno::Settings settings;
    Shape input;
  };
  const Case cases[] = {
      {{.inputs = 4, .outputs = 2, .hidden = 8, .modes = {4, 4}, .layers = 2, .time_features = 8},
       {.batch = 3, .height = 8, .width = 12, .channels = 4}},
      {{.inputs = 3, .outputs = 1, .hidden = 6, .modes = {5, 6}, .layers = 1, .time_features = 0},
       {.batch = 2, .height = 9, .width = 7, .channels = 3}},
      {{.inputs = 5, .outputs = 3, .hidden = 10, .modes = {3, 4}, .layers = 2, .time_features = 4},
       {.batch = 2, .height = 7, .width = 11, .channels = 5}},
      {{.inputs = 3, .outputs = 1, .hidden = 8, .modes = {3, 3, 4}, .layers = 2, .time_features = 4, .recompute = true},
       {.batch = 2, .frames = 5, .height = 6, .width = 7, .channels = 3}},
      {{.inputs = 2, .outputs = 2, .hidden = 34, .modes = {2, 5, 4}, .layers = 1, .time_features = 0},
       {.batch = 1, .frames = 3, .height = 5, .width = 9, .channels = 2}}};
  for (const auto& c : cases) test::check_same_pass<nn::Fno>(c.settings, c.input);
}

TEST_CASE("Fno on a GPU in bfloat16: within its rounding of the CPU's in float, over two axes and three") {
  if (!test::gpu()) return;
  test::check_bfloat16_pass<nn::Fno>({.inputs = 5, .outputs = 3, .hidden = 24, .modes = {4, 6}, .time_features = 8},
                                     {.batch = 3, .height = 9, .width = 13, .channels = 5});
  test::check_bfloat16_pass<nn::Fno>(
      {.inputs = 3, .outputs = 1, .hidden = 22, .modes = {3, 3, 4}, .layers = 2, .time_features = 4, .recompute = true},
      {.batch = 2, .frames = 5, .height = 6, .width = 7, .channels = 3});
}
