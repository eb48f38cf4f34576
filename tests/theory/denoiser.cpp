#include "lacuna/theory/denoiser.hpp"

#include "catch.hpp"
#include "lacuna/sampler/diffusion.hpp"
#include "lacuna/schedule/rectified_flow.hpp"
#include "lacuna/schedule/variance_preserving.hpp"
#include "theory/line.hpp"

using namespace lacuna;
using namespace lacuna::theory;
using test::line;

namespace {

Eigen::VectorXd vector_of(const std::vector<double>& x) {
  return Eigen::Map<const Eigen::VectorXd>(x.data(), static_cast<Eigen::Index>(x.size()));
}

}  // namespace

TEST_CASE("The exact denoiser is conditioning on the whole noisy state") {
  const auto prior = line(6, 2.0);
  const std::vector<double> state{0.1, 0.7, -0.4, 0.2, 1.0, 0.3};
  const std::vector<std::uint8_t> all(6, 1), some{0, 1, 0, 0, 1, 0};
  for (const Level level : {Level{0.9, 0.2}, Level{0.1, 1}, Level{0, 1}, Level{1, 0}}) {
    CHECK(ExactDenoiser(prior)(vector_of(state), level).isApprox(prior.given(all, state, level).mean(), 1e-8));
    const auto law = prior.given(some, state);
    const Eigen::VectorXd estimate = ExactDenoiser(law)(vector_of(state), level);
    CHECK(estimate[1] == Approx(state[1]).epsilon(1e-6));
    CHECK(estimate[4] == Approx(state[4]).epsilon(1e-6));
  }
}

TEST_CASE("The oracle denoises members one by one, at its schedule's levels, in either precision") {
  const auto prior = line(3, 2.0);
  Oracle oracle(prior, schedule::RectifiedFlow{});
  const std::vector<double> state{0.1, 0.7, -0.4, 0.2, 1.0, 0.3};
  std::vector<double> out(6);
  oracle({0.25, 0}, std::span<const double>(state), std::span<double>(out));
  const Eigen::VectorXd second = ExactDenoiser(prior)(vector_of(state).tail(3), {0.75, 0.25});
  CHECK(vector_of(out).tail(3).isApprox(second));
  const std::vector<float> single(state.begin(), state.end());
  std::vector<float> rounded(6);
  oracle({0.25, 0}, std::span<const float>(single), std::span<float>(rounded));
  for (std::size_t i = 0; i < 6; ++i) CHECK(static_cast<double>(rounded[i]) == Approx(out[i]).margin(1e-6));
  CHECK_THROWS_AS(oracle({0.25, 0}, std::span<const double>(state).first(4), std::span<double>(out)), ShapeError);
}

TEST_CASE("A probabilistic field asked by Algorithm 3 is equation 25 with one state as context and query") {
  const auto prior = line(4, 2.0);
  const std::vector<std::uint8_t> context{0, 1, 1, 0}, none(4, 0), all(4, 1);
  const schedule::RectifiedFlow schedule;
  const std::vector<double> state{0.1, 0.7, -0.4, 0.2, 1.0, 0.3, 0.0, -0.6};
  std::vector<double> out(8), plain(8);
  FieldOracle(prior, context, schedule)({0.25, 0}, std::span<const double>(state), std::span<double>(out));
  for (std::size_t m = 0; m < 2; ++m) {
    const std::vector<double> z(state.begin() + 4 * static_cast<long>(m), state.begin() + 4 * static_cast<long>(m + 1));
    CHECK(vector_of(out)
              .segment(4 * static_cast<Eigen::Index>(m), 4)
              .isApprox(probabilistic_field(prior, context, z, all, z, {0.75, 0.25}).mean(), 1e-9));
  }
  FieldOracle(prior, none, schedule)({0.25, 0}, std::span<const double>(state), std::span<double>(out));
  Oracle(prior, schedule)({0.25, 0}, std::span<const double>(state), std::span<double>(plain));
  CHECK(vector_of(out).isApprox(vector_of(plain), 1e-9));
  CHECK_THROWS_AS(FieldOracle(prior, {1, 0}, schedule), ShapeError);
  CHECK_THROWS_AS(FieldOracle(prior, none, schedule)({0.25, 0}, std::span<const double>(state).first(3), std::span<double>(out)),
                  ShapeError);
}

TEST_CASE("A probabilistic field's samples of independent numbers have twice the variance where they are in its context") {
  // On N(0, 1) the flow only scales: the factor of a state of 1 at t = 1 tells the deviation at the end.
  const schedule::VariancePreserving vp;
  const Gaussian law(Eigen::VectorXd::Zero(2), Eigen::MatrixXd::Identity(2, 2));
  FieldOracle field(law, {1, 0}, vp);
  const std::vector<double> nothing(2, 0.0);
  const std::vector<std::uint8_t> none(2, 0);
  std::vector<double> state(2), start(2);
  sampler::Diffusion(vp, sampler::Heun{}, sampler::time_grid(vp, {.steps = 400, .spacing = sampler::Spacing::log_snr}))(
      field, sampler::Known<double>{nothing, none}, {}, std::span<double>(state));
  sampler::draw_normals<double>({}, 0, start);
  CHECK(std::pow(state[1] / start[1], 2) == Approx(1.0).epsilon(1e-3));
  CHECK(std::pow(state[0] / start[0], 2) == Approx(2.0).epsilon(1e-2));
}

TEST_CASE("The exact flow carries the law at one level to the law at another") {
  const auto prior = line(4, 2.0);
  const Level from{0.2, 0.9}, to{0.9, 0.3};
  // It is affine: its columns are what it makes of unit vectors.
  const Eigen::VectorXd zero = flow(prior, from, to, Eigen::VectorXd::Zero(4));
  Eigen::MatrixXd map(4, 4);
  for (int k = 0; k < 4; ++k) map.col(k) = flow(prior, from, to, Eigen::VectorXd::Unit(4, k)) - zero;
  CHECK((map * prior.noised(from).covariance() * map.transpose()).isApprox(prior.noised(to).covariance(), 1e-10));
  CHECK(flow(prior, from, to, prior.noised(from).mean()).isApprox(prior.noised(to).mean(), 1e-10));
}

TEST_CASE("The exact flow of a law without spread in some direction stays at its mean there, from a level without noise too") {
  Eigen::MatrixXd covariance = Eigen::MatrixXd::Zero(2, 2);
  covariance(0, 0) = 4.0;
  const theory::Gaussian law(Eigen::Vector2d(1.0, -3.0), covariance);
  const Eigen::VectorXd moved =
      theory::flow(law, {.alpha = 1.0, .sigma = 0.0}, {.alpha = 0.5, .sigma = 0.0}, Eigen::Vector2d(2.0, -3.0));
  CHECK(moved.isApprox(Eigen::Vector2d(1.0, -1.5), 1e-12));
}
