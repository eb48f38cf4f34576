#include "lacuna/model/dataset.hpp"

#include "catch.hpp"
#include "lacuna/baseline/classical_background.hpp"
#include "support/waves.hpp"

using namespace lacuna;

TEST_CASE("a dataset has what is available as samples, and what is held out of them") {
  const auto split = validation::hold_out(waves::make(24, 2, waves::Gaps::pixels));
  const Dataset data(split, baseline::ClassicalBackground(baseline::BackgroundKind::climatology, {}));
  CHECK(data.validates());
  CHECK(data.held_out_share() == 0.1);
  CHECK(data.samples().background().name() == "climatology");
  const auto held_out = data.held_out();
  CHECK(held_out.mask == split.held_out);
  CHECK(held_out.windows.size() > 0);
  std::size_t count = 0;
  for (std::size_t i = 0; i < held_out.mask.size(); ++i) {
    if (held_out.mask[i] == 0) continue;
    ++count;
    CHECK(std::isnan(data.samples().fields().values[i]));
    CHECK(held_out.truth[i] == split.truth.values[i]);
  }
  CHECK(count == split.held_out_count());
}

TEST_CASE("a dataset may hold out nothing, and says so when it is asked") {
  const auto fields = waves::make(6, 1, waves::Gaps::pixels);
  const Dataset data(fields, {});
  CHECK_FALSE(data.validates());
  CHECK_THROWS_WITH(data.held_out(), "Dataset: nothing is held out, so there is nothing to validate on");
  CHECK(data.samples().windows().size() == 2);
  CHECK(data.normalisation().deviation == std::vector<double>{1.0});
}
