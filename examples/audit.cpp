// Prints the exposure audit of three mask policies on data that miss single pixels and on data that miss whole blocks.

#include "lacuna/mask/audit.hpp"

#include <cstdio>
#include <vector>

namespace {

using namespace lacuna;

/// Masks (T, H, W, 1) of 12 frames: a quarter of the pixels observed, or 8 of 3 x 3 blocks.
std::vector<std::uint8_t> make_masks(bool blocks, int frames, int size) {
  std::vector<std::uint8_t> observed;
  const auto key = philox_key(1, Purpose::gaps);
  for (int t = 0; t < frames; ++t)
    for (int y = 0; y < size; ++y)
      for (int x = 0; x < size; ++x) {
        const auto frame = static_cast<std::uint64_t>(t), cell = static_cast<std::uint64_t>(y * size + x);
        const int lost = uniform_below(philox(key, frame, 0)[1], 9);
        observed.push_back(blocks ? lost != y / (size / 3) * 3 + x / (size / 3) : uniform(philox(key, frame, cell)[0]) < 0.25f);
      }
  return observed;
}

}  // namespace

int main() {
  constexpr int frames = 12, size = 24;
  for (const bool blocks : {false, true}) {
    const auto observed = make_masks(blocks, frames, size);
    const mask::Masks all{frames, size, size, 1, false, observed};
    std::vector<int> starts;
    for (int t = 0; t < frames; ++t) starts.push_back(t);
    const auto windows = mask::windows_of(all, starts, 1);
    const auto structure = mask::detect(all, windows);
    std::printf("%s\n", mask::describe(structure).c_str());
    const auto print = [&](const auto& policy) {
      std::printf("  %s", mask::summary(mask::audit(policy, structure, windows)).c_str());
    };
    print(mask::Pixels::random_ratio());
    print(mask::Blocks{});
    print(mask::Empirical(windows));
  }
}
