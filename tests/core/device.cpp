#include "lacuna/core/device.hpp"

#include "catch.hpp"

using lacuna::cpu::Convolutions;
using lacuna::cpu::Device;

namespace {

struct Handle {
  explicit Handle(Device& d) : device(&d) {}
  Device* device;
  int uses = 0;
};

struct Plans {
  explicit Plans(Device&) {}
};

}  // namespace

TEST_CASE("Device: threads are what was asked for, or all there are") {
  CHECK(Device({.threads = 3}).threads() == 3);
  CHECK(Device().threads() == lacuna::hardware_threads());
  CHECK(Device({.threads = -1}).threads() == lacuna::hardware_threads());
}

TEST_CASE("Device: convolutions run on oneDNN where it was found, or on the path asked for") {
#ifdef LACUNA_HAS_ONEDNN
  CHECK(Device().convolutions() == Convolutions::onednn);
#else
  CHECK(Device().convolutions() == Convolutions::eigen);
#endif
  CHECK(Device({.convolutions = Convolutions::eigen}).convolutions() == Convolutions::eigen);
}

TEST_CASE("Device: reset voids what was taken from both arenas") {
  Device device({.arena_bytes = 1 << 20});
  void* activation = device.arena().take(100);
  void* node = device.tape().take(40);
  device.reset();
  CHECK((device.arena().live() == 0 && device.tape().live() == 0));
  CHECK(device.arena().take(100) == activation);
  CHECK(device.tape().take(40) == node);
}

TEST_CASE("Device: a library's handle is made once for each device and type") {
  Device one, other;
  auto& handle = one.library<Handle>();
  CHECK(handle.device == &one);
  handle.uses = 7;
  CHECK(&one.library<Handle>() == &handle);
  CHECK(static_cast<void*>(&one.library<Plans>()) != static_cast<void*>(&handle));
  CHECK(other.library<Handle>().device == &other);
  CHECK(other.library<Handle>().uses == 0);
  one.reset();
  CHECK(one.library<Handle>().uses == 7);
}
