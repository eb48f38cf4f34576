#pragma once

#include <string>

#include "lacuna/core/device.hpp"

/// An inline function template over the device, and one that does not name it: what an ODR violation would mix up.
template <class DeviceType>
std::string path_of(const DeviceType&) {
  return lacuna::cpu::default_convolutions == lacuna::cpu::Convolutions::onednn ? "onednn" : "eigen";
}
namespace {
std::string describe() {
  const lacuna::cpu::Device device({.threads = 2});
  int sum = 0;
  lacuna::parallel_for(1, 3, [&](int part) { sum += part; });
  return path_of(device) + (device.convolutions() == lacuna::cpu::default_convolutions && sum == 3 ? "" : ", but mixed up");
}
}  // namespace
