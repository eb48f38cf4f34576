#include "lacuna/theory/ensemble.hpp"

#include "catch.hpp"
#include "theory/line.hpp"

using namespace lacuna;
using namespace lacuna::theory;
using test::line;

namespace {

const std::vector<std::uint8_t> observed{1, 0, 1, 1, 0, 0, 1, 1};
const std::vector<double> values{0.9, 0, 0.4, -0.8, 0, 0, 0.3, 1.2};
const Level level{1, 0.01};

/// A network that shrinks its estimate towards zero.
Eigen::VectorXd shrinks(const std::vector<std::uint8_t>&, const Eigen::VectorXd& estimate) { return -0.2 * estimate; }
Eigen::VectorXd no_bias(const std::vector<std::uint8_t>&, const Eigen::VectorXd& estimate) { return 0.0 * estimate; }

/// The error of ensembles of K contexts with biased, noisy members, drawn and averaged: what Theorem 2 is about.
template <class Bias>
double measured(const std::vector<WeightedContext>& contexts, const Bias& bias, double noise, int members,
                std::uint64_t ensembles) {
  const auto prior = line(8, 2.0);
  const Eigen::VectorXd truth = prior.given(observed, values, level).mean();
  std::vector<Eigen::VectorXd> outputs;
  for (const auto& c : contexts) {
    const Eigen::VectorXd estimate = prior.given(c.context, values, level).mean();
    outputs.push_back(estimate + bias(c.context, estimate));
  }
  double error = 0;
  for (std::uint64_t e = 0; e < ensembles; ++e) {
    Eigen::VectorXd sum = Eigen::VectorXd::Zero(8);
    for (int k = 0; k < members; ++k) {
      const auto draw = e * 64 + static_cast<std::uint64_t>(k);
      double u = uniform(philox(philox_key(2, Purpose::context), draw, 0)[0]);
      std::size_t chosen = 0;
      while (chosen + 1 < contexts.size() && (u -= contexts[chosen].probability) >= 0) ++chosen;
      sum += outputs[chosen] + std::sqrt(noise / 8) * standard_normal(8, philox_key(2, Purpose::noise), draw);
    }
    error += (sum / members - truth).squaredNorm() / static_cast<double>(ensembles);
  }
  return error;
}

}  // namespace

TEST_CASE("contexts of a mask are enumerated with their probabilities") {
  const auto contexts = independent_contexts(observed, 0.7);
  CHECK(contexts.size() == 32);
  double total = 0, kept = 0;
  for (const auto& c : contexts) {
    total += c.probability;
    for (std::size_t i = 0; i < 8; ++i) {
      CHECK((c.context[i] == 0 || observed[i] != 0));
      kept += c.probability * c.context[i];
    }
  }
  CHECK(total == Approx(1));
  CHECK(kept == Approx(5 * 0.7));
  CHECK(independent_contexts(observed, 1.0).size() == 1);
  CHECK_THROWS_AS(independent_contexts(std::vector<std::uint8_t>(17, 1), 0.5), OptionError);
}

TEST_CASE("Theorem 2: the terms give the error of ensembles; with a correlated bias only together with the covariance") {
  const auto contexts = independent_contexts(observed, 0.6);
  const auto prior = line(8, 2.0);
  const auto plain = ensemble_terms(prior, observed, values, level, contexts, no_bias);
  CHECK(plain.neglected == 0);
  CHECK(plain.model_bias.norm() == 0);
  const auto biased = ensemble_terms(prior, observed, values, level, contexts, shrinks, 0.08);
  CHECK(biased.bias_variance == Approx(0.04 * plain.data_variance));
  CHECK(biased.neglected == Approx(-0.4 * plain.data_variance));
  for (const int members : {1, 4, 16}) {
    // 4000 ensembles: squared errors scatter by about themselves, so their mean by 1.6 %; four of that.
    CHECK(measured(contexts, no_bias, 0, members, 4000) == Approx(plain.exact(members)).epsilon(0.065));
    CHECK(measured(contexts, shrinks, 0.08, members, 4000) == Approx(biased.exact(members)).epsilon(0.065));
  }
  CHECK(std::abs(biased.by_theorem(1) / biased.exact(1) - 1) > 0.2);
}

TEST_CASE("Theorem 2: with all observations as the context nothing is lost but the bias, and more members stop helping") {
  const auto prior = line(8, 2.0);
  const auto whole = ensemble_terms(prior, observed, values, level, independent_contexts(observed, 1.0), shrinks);
  CHECK(whole.information_gap.norm() < 1e-12);
  CHECK(whole.data_variance == Approx(0).margin(1e-12));
  CHECK(whole.members_enough() == 1);
  const auto terms = ensemble_terms(prior, observed, values, level, independent_contexts(observed, 0.6), no_bias);
  const double enough = terms.members_enough(0.1);
  CHECK(terms.exact(enough) <= 1.1 * terms.floor() * (1 + 1e-12));
  CHECK(terms.exact(enough - 1) > 1.1 * terms.floor());
  CHECK_THROWS_AS(ensemble_terms(prior, observed, values, level, {{observed, 0.5}}, no_bias), OptionError);
}
