#include "lacuna/train/input.hpp"

#include <limits>
#include <vector>

#include "catch.hpp"

using namespace lacuna;
using namespace lacuna::train;

namespace {

constexpr float nan_value = std::numeric_limits<float>::quiet_NaN();

/// Two frames of two variables on a 1 x 2 patch at the seam of a grid four columns wide.
struct Case {
  InputLayout layout{.frames = 2, .variables = 2, .background = true, .climate = true, .place = 1, .season = 2};
  std::vector<float> values{1, 2, nan_value, 4, 5, 6, 7, nan_value};  // (F, h, w, V)
  std::vector<std::uint8_t> context{1, 0, 0, 1, 1, 1, 1, 0}, query{0, 1, 0, 0, 0, 0, 1, 0};
  std::vector<float> background{10, 20, 30, 40, 50, 60, 70, 80}, climate{-1, -2, -3, -4, -5, -6, -7, -8};
  std::vector<float> place{100, 200}, season{0.25f, 0.75f}, scale{2, 4};
  SampleView view(float alpha, float sigma, data::Patch patch = {0, 3, 1, 2}) const {
    return {.patch = patch,
            .grid_width = 4,
            .values = values.data(),
            .context = context.data(),
            .query = query.data(),
            .background = background.data(),
            .climate = climate.data(),
            .place = place.data(),
            .season = season.data(),
            .scale = scale.data(),
            .alpha = alpha,
            .sigma = sigma,
            .noise = philox_key(3, Purpose::noise),
            .sample = 9};
  }
};

}  // namespace

TEST_CASE("channels are context, noisy anomaly, background, climate, place and season") {
  const Case c;
  REQUIRE(c.layout.channels() == 4 * 4 + 3);
  std::vector<float> out(2 * 19, nan_value);
  assemble_input(c.layout, c.view(1.0f, 0.0f), out.data());
  const std::vector<float> expected{1, 0, 1, 1, -4.5f, 0,  -22.5f, -13.5f, 10, 20, 50, 60, -1, -2, -5, -6, 100, 0.25f, 0.75f,
                                    0, 1, 1, 0, 0,     -9, -31.5f, 0,      30, 40, 70, 80, -3, -4, -7, -8, 200, 0.25f, 0.75f};
  CHECK(out == expected);
}

TEST_CASE("values outside the context never enter, not even as NaN") {
  Case c;
  std::vector<float> out(38), poisoned(38);
  assemble_input(c.layout, c.view(0.6f, 0.8f), out.data());
  for (std::size_t i = 0; i < c.values.size(); ++i)
    if (c.context[i] == 0) c.values[i] = nan_value;
  assemble_input(c.layout, c.view(0.6f, 0.8f), poisoned.data());
  CHECK(out == poisoned);
  for (const float x : out) CHECK(std::isfinite(x));
}

TEST_CASE("the noise of a cell does not depend on the patch it is seen in") {
  const Case c;
  std::vector<float> whole(38), part(19);
  assemble_input(c.layout, c.view(0.6f, 0.8f), whole.data());
  // The second cell alone: columns 3 + 1 wrap to column 0. Its arrays are those of a 1 x 1 patch.
  const std::vector<float> values{c.values[2], c.values[3], c.values[6], c.values[7]};
  const std::vector<std::uint8_t> context{c.context[2], c.context[3], c.context[6], c.context[7]};
  const std::vector<float> background{30, 40, 70, 80}, climate{-3, -4, -7, -8}, place{200};
  auto view = c.view(0.6f, 0.8f, {0, 0, 1, 1});
  view.values = values.data();
  view.context = context.data();
  view.background = background.data();
  view.climate = climate.data();
  view.place = place.data();
  assemble_input(c.layout, view, part.data());
  CHECK(std::vector<float>(whole.begin() + 19, whole.end()) == part);
}

TEST_CASE("the noise has the schedule's size and other samples have other noise") {
  const InputLayout layout{.frames = 1, .variables = 1};
  const int n = 64;
  const std::vector<float> values(n * n, 0.0f), scale{1};
  const std::vector<std::uint8_t> context(n * n, 1);
  std::vector<float> first(2 * n * n), second(2 * n * n);
  SampleView view{.patch = {0, 0, n, n},
                  .grid_width = n,
                  .values = values.data(),
                  .context = context.data(),
                  .query = nullptr,
                  .background = nullptr,
                  .climate = nullptr,
                  .place = nullptr,
                  .season = nullptr,
                  .scale = scale.data(),
                  .alpha = 0.5f,
                  .sigma = 2.0f,
                  .noise = philox_key(1, Purpose::noise)};
  assemble_input(layout, view, first.data());
  view.sample = 1;
  assemble_input(layout, view, second.data());
  double squares = 0, product = 0;
  for (std::size_t i = 1; i < first.size(); i += 2) {
    squares += static_cast<double>(first[i]) * static_cast<double>(first[i]);
    product += static_cast<double>(first[i]) * static_cast<double>(second[i]);
  }
  CHECK(squares / (n * n) == Approx(4.0).epsilon(0.1));
  CHECK(std::abs(product / (n * n)) < 0.3);
}

TEST_CASE("the target is the anomaly in units of its deviation, and only where queried") {
  const Case c;
  std::vector<float> target(8, nan_value);
  std::vector<std::uint8_t> out(8, 9);
  assemble_target(c.layout, c.view(1, 0), target.data(), out.data());
  CHECK(target == std::vector<float>{0, -4.5f, 0, 0, 0, 0, -31.5f, 0});
  CHECK(out == std::vector<std::uint8_t>{0, 1, 0, 0, 0, 0, 1, 0});
}

TEST_CASE("a noise target is the very noise of the input where the query is seen, and the anomaly where it is not") {
  const Case c;  // of the two queried, the second cell's value 6 is in the context, the first cell's value 1 is not
  const float alpha = 0.6f, sigma = 0.8f;
  std::vector<float> input(2 * 19), target(8);
  std::vector<std::uint8_t> query(8);
  assemble_input(c.layout, c.view(alpha, sigma), input.data());
  assemble_target(c.layout, c.view(alpha, sigma), target.data(), query.data(), schedule::NoiseMatching{});
  CHECK(target[1] == -4.5f);
  CHECK(static_cast<double>(alpha * -31.5f + sigma * target[6]) == Approx(static_cast<double>(input[19 + 4 + 2])));
  CHECK(std::abs(target[6]) < 6);
  assemble_target(c.layout, c.view(alpha, sigma), target.data(), query.data(), schedule::VelocityMatching{});
  CHECK(target[1] == -4.5f);
  CHECK(static_cast<double>(alpha * input[19 + 4 + 2] - sigma * target[6]) == Approx(-31.5));
}

TEST_CASE("a query that is shown comes with noise of its own, after the context") {
  Case c;
  c.layout.query = true;
  REQUIRE(c.layout.channels() == 6 * 4 + 3);
  REQUIRE(c.layout.shown() == 8);
  std::vector<float> out(2 * 27, nan_value), target(8);
  std::vector<std::uint8_t> query(8);
  const auto view = c.view(0.6f, 0.8f);
  assemble_input(c.layout, view, out.data());
  CHECK(std::vector<float>(out.begin() + 8, out.begin() + 12) == std::vector<float>{0, 1, 0, 0});  // first cell's query
  CHECK(out[12] == 0);
  CHECK(out[13] != 0);
  CHECK(std::vector<float>(out.begin() + 35, out.begin() + 39) == std::vector<float>{0, 0, 1, 0});
  // Value 6 of the second cell is in both: two noises of one anomaly. The target is the query's.
  assemble_target(c.layout, view, target.data(), query.data(), schedule::NoiseMatching{});
  CHECK(out[27 + 4 + 2] != out[27 + 12 + 2]);
  for (const auto [value, anomaly, eps] : {std::array{out[13], -4.5f, target[1]}, std::array{out[27 + 14], -31.5f, target[6]}})
    CHECK(static_cast<double>(value) == Approx(static_cast<double>(0.6f * anomaly + 0.8f * eps)));
  // What follows is where it was without a query.
  const Case plain;
  std::vector<float> without(2 * 19);
  assemble_input(plain.layout, plain.view(0.6f, 0.8f), without.data());
  CHECK(std::vector<float>(out.begin(), out.begin() + 8) == std::vector<float>(without.begin(), without.begin() + 8));
  CHECK(std::vector<float>(out.begin() + 16, out.begin() + 27) == std::vector<float>(without.begin() + 8, without.begin() + 19));
}
