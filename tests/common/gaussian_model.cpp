#include "common/gaussian_model.hpp"

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
  std::shared_ptr<const Dataset> dataset = common::gaussian_dataset(mask::with_gaps(truth, observed));
  Model<nn::UNet, mask::Pixels> model =
      common::gaussian_model(mask::with_gaps(field.draw(300, 1), mask::draw_pixels(field.grid(), 300, 0.5, 1)),
                             mask::Pixels{.ratio = 0.7f, .query = 0.7f}, {.hidden = 4, .multipliers = {1, 2}},
                             {.latest_time = 1e-3, .threads = 1, .scale = {}, .ensemble = {}, .marks = {}});

  /// Mean squared distance of the outputs from E[x0 | M x0] over missing pixels.
  double distance() {
    const auto outputs =
        common::estimates(model, dataset->samples(), sampler::draw_contexts(dataset->samples(), mask::Observed{}, 1, 1));
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
  for (int step = 0; step < 150; ++step) s.model.trainer().step(3e-3);
  CHECK(s.model.steps_done() == 150);
  CHECK(s.distance() < 0.35 * before);
}
