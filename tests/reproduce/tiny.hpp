#pragma once

#include "reproduce/settings.hpp"

/// Settings of a network that is trained in a moment.
inline lacuna::experiment::SetSettings tiny() {
  lacuna::experiment::SetSettings s;
  s.train = 6;
  s.test = 2;
  s.solver = 16;
  s.frames = s.window = 3;
  s.unet = "unet";
  s.hidden = 4;
  s.batch = 4;
  s.steps = 12;
  s.members = 3;
  return s;
}
