#include "lacuna/baseline/classical_background.hpp"

#include "baseline/maker.hpp"
#include "catch.hpp"
#include "support/compare.hpp"

using namespace lacuna;
using baseline::BackgroundKind;
using baseline::BackgroundSettings;
using baseline::ClassicalBackground;

namespace {

const baseline::Correlation wide{.length = 3, .nugget = 0.01}, narrow{.length = 2, .nugget = 0.1, .stretch = 2};

BackgroundSettings settings() { return {.values = {wide, narrow}, .anomalies = {wide, wide}}; }

data::Fields fields() { return test::drifting(test::plane(8, 12, true), 12, 2, 0.5); }

std::vector<std::uint8_t> observed(const data::Fields& f, int first, const data::Patch& patch) {
  std::vector<std::uint8_t> context;
  for (int t = first; t < first + 3; ++t)
    for (int y = 0; y < patch.height; ++y)
      for (int x = 0; x < patch.width; ++x)
        for (int v = 0; v < 2; ++v) context.push_back(f.observed(t, patch.y + y, (patch.x + x) % f.grid.width(), v));
  return context;
}

ClassicalBackground make(BackgroundKind kind, const data::Fields& f, const BackgroundSettings& s) {
  return baseline::fitted(ClassicalBackground(kind, s), {.fields = f, .windows = {}, .training = {}});
}

/// Values (3,h,w,2) of a patch.
std::vector<float> values(const data::Fields& f, int first, const data::Patch& patch) {
  std::vector<float> values;
  for (int t = first; t < first + 3; ++t)
    for (int y = 0; y < patch.height; ++y)
      for (int x = 0; x < patch.width; ++x)
        for (int v = 0; v < 2; ++v) values.push_back(f.at(t, patch.y + y, (patch.x + x) % f.grid.width(), v));
  return values;
}

std::vector<float> evaluate(const ClassicalBackground& b, const data::Fields& f, int first, const data::Patch& patch,
                            const std::vector<std::uint8_t>& context) {
  ClassicalBackground::Workspace workspace;
  std::vector<float> out(context.size());
  b.evaluate({first, 3, 2, patch, values(f, first, patch).data(), context.data()}, out.data(), workspace);
  return out;
}

}  // namespace

TEST_CASE("ClassicalBackground: each kind is what it says") {
  const data::Fields f = fields();
  const data::Patch patch{1, 9, 6, 8};  // across the seam
  const auto context = observed(f, 3, patch);
  const auto s = settings();
  CHECK(evaluate(make(BackgroundKind::none, f, s), f, 3, patch, context) == std::vector<float>(context.size(), 0.0f));
  const auto climatology = make(BackgroundKind::climatology, f, s);
  const auto mean = evaluate(climatology, f, 3, patch, context);
  const auto kriged = evaluate(make(BackgroundKind::kriging, f, s), f, 3, patch, context);
  const auto both = evaluate(make(BackgroundKind::climatology_kriging, f, s), f, 3, patch, context);
  std::size_t j = 0;
  double worst = 0;
  for (int t = 3; t < 6; ++t)
    for (int y = 0; y < patch.height; ++y)
      for (int x = 0; x < patch.width; ++x)
        for (int v = 0; v < 2; ++v, ++j) {
          const std::size_t i = f.index(t, patch.y + y, (patch.x + x) % 12, v);
          CHECK(mean[j] == climatology.climatology()[i]);
          if (context[j] == 0) continue;
          CHECK(kriged[j] == f.values[i]);
          worst = std::max(worst, static_cast<double>(std::abs(both[j] - f.values[i])));
        }
  CHECK(worst < 1e-6);
  CHECK(test::all_finite(kriged));
  CHECK(test::all_finite(both));
}

TEST_CASE("ClassicalBackground: values outside the context leave no trace") {
  const data::Fields f = fields();
  const data::Patch patch = data::whole(f.grid);
  auto context = observed(f, 3, patch);
  for (std::size_t i = 0; i < context.size(); i += 3) context[i] = 0;
  data::Fields changed = f;
  for (std::size_t j = 0; j < context.size(); ++j)
    if (context[j] == 0) changed.values[f.frame_size() * 3 + j] += 100.0f;
  for (const auto kind : {BackgroundKind::climatology, BackgroundKind::kriging, BackgroundKind::climatology_kriging}) {
    auto s = settings();
    s.climatology.memory = s.anomaly_climatology.memory = 3;
    CHECK(evaluate(make(kind, f, s), f, 3, patch, context) == evaluate(make(kind, changed, s), changed, 3, patch, context));
  }
}

TEST_CASE("ClassicalBackground: planes are kriged with their own masks and correlations") {
  const data::Fields f = fields();
  const data::Patch patch = data::whole(f.grid);
  auto context = observed(f, 3, patch);
  const std::size_t cells = static_cast<std::size_t>(patch.cells());
  for (std::size_t i = 0; i < cells; i += 5) context[(cells + i) * 2] = 0;       // frame 1, variable 0
  for (std::size_t i = 0; i < cells; ++i) context[(2 * cells + i) * 2 + 1] = 0;  // frame 2, variable 1: nothing left
  const auto out = evaluate(make(BackgroundKind::kriging, f, settings()), f, 3, patch, context);
  for (int t = 0; t < 3; ++t)
    for (int v = 0; v < 2; ++v) {
      std::vector<std::uint8_t> mask;
      std::vector<float> values, given;
      for (std::size_t i = 0; i < cells; ++i) {
        const std::size_t j = (static_cast<std::size_t>(t) * cells + i) * 2 + static_cast<std::size_t>(v);
        mask.push_back(context[j]);
        values.push_back(f.values[f.frame_size() * 3 + j]);
        given.push_back(out[j]);
      }
      std::vector<float> expected(cells);
      baseline::Kriging(f.grid, v == 0 ? wide : narrow).predict(patch, mask.data(), values.data(), 1, expected.data());
      CHECK(test::relative_difference(given, expected) < 1e-5);
    }
}

TEST_CASE("ClassicalBackground: a plane without context gets the climatology") {
  const data::Fields f = fields();
  const data::Patch patch = data::whole(f.grid);
  const std::vector<std::uint8_t> none(f.frame_size() * 3, 0);
  const auto b = make(BackgroundKind::climatology_kriging, f, settings());
  const auto first = b.climatology().begin() + static_cast<std::ptrdiff_t>(3 * f.frame_size());
  CHECK(evaluate(b, f, 3, patch, none) == std::vector<float>(first, first + static_cast<std::ptrdiff_t>(none.size())));
}

TEST_CASE("ClassicalBackground: a correlation is needed for each variable") {
  CHECK_THROWS_AS(make(BackgroundKind::kriging, fields(), {.values = {wide}}), OptionError);
}

TEST_CASE("ClassicalBackground: the error it expects is 0 in the context, grows away from it, and is flat without kriging") {
  const data::Fields f = fields();
  const data::Patch patch = data::whole(f.grid);
  auto context = observed(f, 3, patch);
  for (std::size_t j = 1; j < context.size(); j += 2) context[j] = 0;  // variable 1 is lost
  const auto expect = [&](BackgroundKind kind) {
    ClassicalBackground::Workspace workspace;
    std::vector<float> out(context.size());
    make(kind, f, settings()).expected_error({3, 3, 2, patch, values(f, 3, patch).data(), context.data()}, out.data(), workspace);
    return out;
  };
  CHECK(expect(BackgroundKind::none) == std::vector<float>(context.size(), 1.0f));
  CHECK(expect(BackgroundKind::climatology) == std::vector<float>(context.size(), 1.0f));
  const auto kriged = expect(BackgroundKind::kriging);
  for (std::size_t j = 0; j < context.size(); ++j) {
    if (context[j] != 0) CHECK(kriged[j] == 0.0f);
    if (j % 2 == 0 && context[j] == 0) CHECK((kriged[j] > 0.0f && kriged[j] < 1.0f));
    if (j % 2 == 1) CHECK(kriged[j] == Approx(std::sqrt(1.0 + narrow.nugget)));
  }
}
