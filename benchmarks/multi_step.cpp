// What multi-step sampling of a window costs: 200 steps with K = 10 contexts, over 200 evaluations of the bare network.
//
// usage: bench_multi_step [threads] [rounds]
// Both are timed in turn; printed are medians, and the median of the rounds' ratios. A sampler that cost nothing but its
// evaluations would come out at 1 + K / 200 = 1.05 for one sample, and nearer to 1 for more (the contexts are evaluated once).

#include "lacuna/sampler/multi_step.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "lacuna/mask/draw.hpp"
#include "lacuna/mask/pixels.hpp"
#include "lacuna/nn/unet.hpp"
#include "lacuna/schedule/variance_preserving.hpp"

namespace {

using namespace lacuna;

constexpr int side = 32, frames = 10, steps = 200, contexts = 10;

/// One mask for all frames, as the paper's data have it, or one for each.
data::Fields noise_with_gaps(bool shared) {
  data::Fields f{.names = {"noise"}};
  for (int i = 0; i < side; ++i) {
    f.grid.y.push_back(i);
    f.grid.x.push_back(i);
  }
  for (int t = 0; t < frames; ++t) f.time.push_back(t);
  f.values.resize(f.frame_size() * frames);
  for (std::size_t i = 0; i < f.values.size(); ++i) f.values[i] = normals(philox(philox_key(1, Purpose::initial), 0, i))[0];
  auto observed = mask::draw_pixels(f.grid, frames, 0.3, 1);
  for (std::size_t i = f.frame_size(); shared && i < observed.size(); ++i) observed[i] = observed[i - f.frame_size()];
  return mask::with_gaps(std::move(f), observed);
}

double median(std::vector<double> x) {
  std::nth_element(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(x.size() / 2), x.end());
  return x[x.size() / 2];
}

template <class Work>
double milliseconds(const Work& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

void run(bool shared, int threads, int rounds) {
  cpu::Device device({.threads = threads});
  const data::Fields fields = noise_with_gaps(shared);
  const train::Samples samples(fields, {.length = frames}, {});
  const auto layout = train::input_layout(samples);
  Parameters<float> parameters;
  const nn::UNet network({.inputs = layout.channels(), .outputs = layout.fields(), .hidden = 32}, parameters, 1);
  sampler::SingleStep<nn::UNet> evaluator(device, samples, layout, network, parameters, {1.0f});
  const schedule::VariancePreserving vp;
  const sampler::Diffusion diffusion(vp, sampler::FirstOrder{}, sampler::time_grid(vp, {.steps = steps}));
  sampler::MultiStep draw(evaluator, mask::Pixels{}, diffusion, {.contexts = contexts});

  std::printf("%d frames of %d x %d, %s, %d steps, %d contexts, %d threads, medians of %d rounds\n", frames, side, side,
              shared ? "one mask" : "a mask each", steps, contexts, threads, rounds);
  for (const int members : {1, 8}) {
    const auto evaluations = [&] {
      const std::vector<float> times(static_cast<std::size_t>(members), 0.5f);
      for (int i = 0; i < steps; ++i) {
        device.reset();
        Graph<float> graph(device, parameters, Mode::infer);
        const auto input = graph.make({members, 1, side, side, layout.channels()});
        std::fill_n(input.data, input.shape.size(), 0.5f);
        network(graph, input, times.data());
      }
    };
    const auto sample = [&] { draw(0, 0, static_cast<std::size_t>(members)); };
    evaluations(), sample();
    std::vector<double> bare, whole, ratio;
    for (int i = 0; i < rounds; ++i) {
      bare.push_back(milliseconds(evaluations));
      whole.push_back(milliseconds(sample));
      ratio.push_back(whole.back() / bare.back());
    }
    std::printf("  samples at once %d: %d evaluations %8.1f ms, sampling %8.1f ms, ratio %.3f\n", members, steps, median(bare),
                median(whole), median(ratio));
  }
}

}  // namespace

int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::stoi(argv[1]) : 1, rounds = argc > 2 ? std::stoi(argv[2]) : 5;
  for (const bool shared : {true, false}) run(shared, threads, rounds);
}
