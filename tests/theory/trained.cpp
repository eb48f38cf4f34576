#include "lacuna/theory/trained.hpp"

#include "catch.hpp"
#include "lacuna/mask/draw.hpp"
#include "lacuna/mask/pixels.hpp"
#include "lacuna/sampler/draw_contexts.hpp"

using namespace lacuna;
using namespace lacuna::theory;

namespace {

constexpr int side = 8;

struct Setting {
  ExponentialField field{side, side, 6.0};
  data::Fields truth = field.draw(20, 2);
  std::vector<std::uint8_t> observed = mask::draw_pixels(field.grid(), 20, 0.5, 2);
  train::Samples samples = samples_of(mask::with_gaps(truth, observed));
  cpu::Device device{{.threads = 1}};
  Experiment<mask::Pixels> experiment{device,
                                      mask::with_gaps(field.draw(300, 1), mask::draw_pixels(field.grid(), 300, 0.5, 1)),
                                      mask::Pixels{.ratio = 0.7f, .query = 0.7f},
                                      {.network = {.hidden = 4, .multipliers = {1, 2}}, .latest_time = 1e-3}};

  /// Mean squared distance of the outputs from E[x0 | M x0] over missing pixels.
  double distance() {
    const auto outputs = experiment.outputs(samples, sampler::draw_contexts(samples, mask::Observed{}, 1, 1));
    double sum = 0, count = 0;
    for (Eigen::Index i = 0; i < outputs.cols(); ++i) {
      const auto at = static_cast<std::size_t>(i) * side * side;
      const auto mask = Mask(observed).subspan(at, side * side);
      const Eigen::VectorXd best =
          conditional_mean(field.law().gain(mask, {}), mask, std::span(truth.values).subspan(at, side * side));
      for (Eigen::Index j = 0; j < best.size(); ++j) {
        if (mask[static_cast<std::size_t>(j)] != 0) continue;
        sum += std::pow(outputs(j, i) - best[j], 2);
        count += 1;
      }
    }
    return sum / count;
  }
};

}  // namespace

TEST_CASE("training brings the network nearer to the best estimate") {
  Setting s;
  const double before = s.distance();
  for (int step = 0; step < 150; ++step) s.experiment.step(3e-3);
  CHECK(s.experiment.steps_done() == 150);
  CHECK(s.distance() < 0.35 * before);
}

TEST_CASE("the conditional mean is the oracle's, and reads nothing outside the context") {
  const Setting s;
  std::vector<double> values;
  std::vector<float> poisoned;
  const auto context = Mask(s.observed).first(side * side);
  for (std::size_t j = 0; j < side * side; ++j) {
    values.push_back(static_cast<double>(s.truth.values[j]));
    poisoned.push_back(context[j] != 0 ? s.truth.values[j] : std::nanf(""));
  }
  const Eigen::VectorXd expected = s.field.law().given(context, values).mean();
  CHECK((conditional_mean(s.field.law().gain(context, {}), context, poisoned) - expected).norm() < 1e-10);
}
