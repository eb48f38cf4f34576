#include "lacuna/baseline/correlation_fit.hpp"

#include <cmath>
#include <utility>
#include <vector>

#include "baseline/maker.hpp"
#include "catch.hpp"

using namespace lacuna;
using baseline::Correlation;
using baseline::CorrelationKind;

namespace {

/// Windows of one mask each, in which two variables have known correlations; a sixth of the observations is kept aside.
struct HoldoutSplit {
  std::vector<Correlation> drawn;
  data::Fields available;
  std::vector<float> truth;
  std::vector<std::uint8_t> withheld;

  explicit HoldoutSplit(std::vector<Correlation> correlations) : drawn(std::move(correlations)) {
    constexpr int windows = 12, length = 3;
    available.grid = test::plane(22, 24);
    available.names = {"a", "b"};
    const int cells = available.grid.cells();
    std::vector<Eigen::MatrixXd> fields;
    for (std::size_t v = 0; v < 2; ++v)
      fields.push_back(test::gaussian_fields(available.grid, drawn[v], windows * length, 31 + v));
    for (int t = 0; t < windows * length; ++t) {
      available.time.push_back(t);
      const auto seed = static_cast<std::uint64_t>(t / length);
      const auto observed = test::random_mask(cells, 0.5, 100 + seed), aside = test::random_mask(cells, 1.0 / 6, 200 + seed);
      for (int i = 0; i < cells; ++i)
        for (const auto& field : fields) {
          const bool seen = observed[static_cast<std::size_t>(i)] != 0, kept = seen && aside[static_cast<std::size_t>(i)] != 0;
          truth.push_back(static_cast<float>(field(i, t)));
          available.values.push_back(seen && !kept ? truth.back() : data::not_observed);
          withheld.push_back(kept);
        }
    }
  }
  validation::ValidationData evidence() const { return {available, truth, withheld, {}}; }
};

}  // namespace

TEST_CASE("CorrelationFit: what fields were drawn with is found again") {
  const HoldoutSplit study({{.kind = CorrelationKind::matern32, .length = 4, .nugget = 0.01, .stretch = 1},
                            {.kind = CorrelationKind::exponential, .length = 3, .nugget = 0.1, .stretch = 1.8}});
  const auto evidence = study.evidence();
  const baseline::CorrelationFit fit(evidence, nullptr, {.threads = 2});
  const auto found = fit();
  REQUIRE(found.size() == 2);
  for (std::size_t v = 0; v < 2; ++v) {
    const Correlation &c = found[v], &drawn = study.drawn[v];
    INFO("variable " << v << ": length " << c.length << ", nugget " << c.nugget << ", stretch " << c.stretch);
    CHECK(c.kind == drawn.kind);
    CHECK(std::abs(std::log(c.stretch / drawn.stretch)) < std::log(1.25));
  }
  CHECK(std::abs(std::log(found[0].length / 4)) < std::log(1.4));
  CHECK(std::abs(std::log(found[0].nugget / 0.01)) < std::log(4));
  // Dense data tell of an exponential correlation the variance over the length alone (Zhang, JASA 99, 2004, theorem 2): in units
  // of the variance, as here, the nugget times the length.
  CHECK(std::abs(std::log(found[1].nugget * found[1].length / (0.1 * 3))) < std::log(1.5));
  // What it was chosen by: no worse than the truth.
  CHECK(fit.error(found) < 1.01 * fit.error(study.drawn));
}

TEST_CASE("CorrelationFit: settings near good ones are found again from others") {
  const HoldoutSplit study({{.length = 4, .nugget = 0.01}, {.length = 4, .nugget = 0.1}});
  const auto evidence = study.evidence();
  const baseline::CorrelationFit fit(evidence, nullptr, {.threads = 2});
  const std::vector<Correlation> off{{.length = 5, .nugget = 0.033}, {.length = 3.2, .nugget = 0.1}};
  const auto refined = fit.refined(off);
  CHECK(fit.error(refined) < fit.error(off));
  for (const Correlation& c : refined) CHECK(c.length == Approx(4));
}
