#include "lacuna/baseline/background.hpp"

#include <cmath>
#include <vector>

#include "baseline/maker.hpp"
#include "catch.hpp"

using namespace lacuna;
using baseline::AnyBackground;

namespace {

/// The mean of the context, or of what it was fitted to.
struct Mean {
  float mean = 0;

  void fit(const baseline::BackgroundData& data) {
    float count = 0;
    for (const float x : data.fields.values)
      if (!std::isnan(x)) mean += x, count += 1;
    mean /= count;
  }
  void evaluate(const baseline::BackgroundRequest& request, float* out) const {
    float sum = 0, count = 0;
    for (std::size_t i = 0; i < request.size(); ++i)
      if (request.context[i] != 0) sum += request.values[i], count += 1;
    std::fill_n(out, request.size(), count > 0 ? sum / count : mean);
  }
};
static_assert(baseline::Background<Mean>);
static_assert(baseline::Background<AnyBackground>);

/// Counts how often its buffers were used, expects errors of its own, and shows itself to the network.
struct Counting {
  struct Workspace {
    int uses = 0;
  };
  std::vector<float> kept;

  void fit(const baseline::BackgroundData& data) { kept.assign(data.fields.values.size(), 7); }
  void evaluate(const baseline::BackgroundRequest& request, float* out, Workspace& w) const {
    std::fill_n(out, request.size(), static_cast<float>(++w.uses));
  }
  void expected_error(const baseline::BackgroundRequest& request, float* out, Workspace&, int threads) const {
    std::fill_n(out, request.size(), static_cast<float>(threads));
  }
  std::span<const float> climatology_channel() const { return kept; }
  std::string name() const { return "counting"; }
};

}  // namespace

TEST_CASE("AnyBackground: none is a first guess of zero that the network gets no channel for") {
  const auto f = test::drifting(test::plane(8, 12, true), 6, 2, 0.5);
  AnyBackground none;
  none.fit({f, {}, {}});
  std::vector<float> out(f.frame_size() * 3, 5.0f);
  AnyBackground::Workspace workspace;
  const baseline::BackgroundRequest request{.first = 0, .frames = 3, .variables = 2, .patch = data::whole(f.grid)};
  none.evaluate(request, out.data(), workspace);
  CHECK(out == std::vector<float>(out.size(), 0.0f));
  none.expected_error(request, out.data(), workspace);
  CHECK(out == std::vector<float>(out.size(), 1.0f));
  CHECK_FALSE(none.exists());
  CHECK(none.name() == "none");
  CHECK(none.climatology_channel().empty());
}

TEST_CASE("AnyBackground: what a background does not offer has a default; what was fitted is not what was copied before") {
  const auto f = test::drifting(test::plane(8, 12, true), 6, 2, 0.5);
  AnyBackground mean = Mean{};
  const AnyBackground before = mean;
  mean.fit({f, {}, {}});
  const std::vector<std::uint8_t> nothing(f.frame_size() * 3, 0);
  const baseline::BackgroundRequest request{0, 3, 2, data::whole(f.grid), f.values.data(), nothing.data()};
  std::vector<float> out(request.size());
  AnyBackground::Workspace workspace;
  before.evaluate(request, out.data(), workspace);
  CHECK(out[0] == 0.0f);
  mean.evaluate(request, out.data(), workspace);
  CHECK(out[0] != 0.0f);
  mean.expected_error(request, out.data(), workspace);
  CHECK(out[0] == 1.0f);
  CHECK(mean.exists());
}

TEST_CASE("AnyBackground: buffers stay with the background that they were made for") {
  const auto f = test::drifting(test::plane(8, 12, true), 6, 2, 0.5);
  AnyBackground one = Counting{};
  one.fit({f, {}, {}});
  const baseline::BackgroundRequest request{.first = 0, .frames = 3, .variables = 2, .patch = data::whole(f.grid)};
  std::vector<float> out(request.size());
  AnyBackground::Workspace workspace;
  one.evaluate(request, out.data(), workspace);
  one.evaluate(request, out.data(), workspace);
  CHECK(out[0] == 2.0f);
  one.expected_error(request, out.data(), workspace, 3);
  CHECK(out[0] == 3.0f);
  CHECK(one.name() == "counting");
  CHECK(one.climatology_channel().size() == f.values.size());
}
