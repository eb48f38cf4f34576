// The objectives of the paper and its rivals on Gaussian laws of two or three values, learned by a network that can be exact.

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "catch.hpp"
#include "lacuna/mask/objectives.hpp"
#include "lacuna/mask/pixels.hpp"
#include "lacuna/sampler/multi_step.hpp"
#include "lacuna/theory/ensemble.hpp"
#include "lacuna/theory/gaussian.hpp"
#include "lacuna/train/trainer.hpp"
#include "support/tabular.hpp"

using namespace lacuna;
using schedule::DataMatching;
using schedule::NoiseMatching;
using schedule::VelocityMatching;
using test::Stairs;
using test::Tabular;
using Bytes = std::vector<std::uint8_t>;

namespace {

/// A line of cells, all values correlated by `correlation`, each observed with probability `density`.
struct Law {
  int cells;
  double correlation, density;

  theory::Gaussian gaussian() const {
    Eigen::MatrixXd covariance = Eigen::MatrixXd::Constant(cells, cells, correlation);
    covariance.diagonal().setOnes();
    return {Eigen::VectorXd::Zero(cells), covariance};
  }
  Eigen::VectorXd truth(int frame) const {
    return gaussian().root() * theory::standard_normal(cells, philox_key(7, Purpose::initial), static_cast<std::uint64_t>(frame));
  }
  data::Fields fields(int frames) const {
    data::Fields f;
    f.grid.y = {0};
    for (int i = 0; i < cells; ++i) f.grid.x.push_back(i);
    f.names = {"x"};
    for (int t = 0; t < frames; ++t) {
      f.time.push_back(t);
      const auto x = truth(t);
      for (int i = 0; i < cells; ++i) {
        const auto word = philox(philox_key(7, Purpose::gaps), static_cast<std::uint64_t>(t), static_cast<std::uint64_t>(i))[0];
        const float u = uniform(word);
        f.values.push_back(static_cast<double>(u) < density ? static_cast<float>(x[i]) : data::not_observed);
      }
    }
    return f;
  }
};

/// The empirical law of complete fields: what training sees, so that no error is left but that of its noise.
theory::Gaussian empirical(const data::Fields& f) {
  const int n = f.grid.width(), count = f.frames();
  const Eigen::MatrixXd x = Eigen::Map<const Eigen::MatrixXf>(f.values.data(), n, count).cast<double>();
  const Eigen::VectorXd mean = x.rowwise().mean();
  return {mean, x * x.transpose() / count - mean * mean.transpose()};
}

/// The context is {0, 1}, the query {1, 2}.
struct Fixed {
  struct Draw {
    bool in_context(mask::Cell c) const { return c.x < 2; }
    bool in_query(mask::Cell c) const { return c.x > 0; }
  };
  Draw draw(PhiloxKey, std::uint64_t, const mask::Window&) const { return {}; }
};

/// A law, its samples, and a network that the trainer teaches an objective.
template <class Policy, schedule::Matching Matching = train::UsualMatching<Policy>>
struct Learned {
  static constexpr int shown = mask::shows_query<Policy> ? 2 : 1;
  using Trainer = train::Trainer<Tabular, Policy, Stairs, Matching>;

  Policy policy;
  Stairs stairs;
  data::Fields fields;
  train::Samples samples;
  cpu::Device device{{.threads = 1}};
  Parameters<float> parameters;
  Tabular network;
  std::vector<float> scale{1.0f};
  Trainer trainer;

  Learned(const Policy& p, const Stairs& s, const data::Fields& f, float start = 0.0f)
      : policy(p),
        stairs(s),
        fields(f),
        samples(f, {.length = 1}, {}),
        network(f.grid.width(), shown, s, parameters, start),
        trainer(device, samples, network, parameters, p, scale, {.batch = 64, .seed = 1, .optimizer = {}}, s) {}

  Learned& learn(int steps, double rate = 2e-2) {
    for (int step = 0; step < steps; ++step) trainer.step(rate * (1.0 - static_cast<double>(step) / steps));
    return *this;
  }
  auto evaluator() {
    return sampler::SingleStep<Tabular, Stairs, Matching>(device, samples, trainer.layout(), network, parameters, scale, {},
                                                          stairs);
  }
  std::vector<float> estimate(const sampler::Request& request) {
    auto evaluate = evaluator();
    std::vector<float> anomaly;
    evaluate(std::span(&request, 1), [&](std::size_t, const sampler::Estimate& e) { anomaly = e.anomaly; });
    return anomaly;
  }
};

/// Keeps every input and answers 0.
struct Spy {
  std::vector<std::vector<float>>* inputs;

  Variable<float> operator()(Graph<float>& graph, const Variable<float>& input, const float*) const {
    inputs->emplace_back(input.data, input.data + input.shape.size());
    const auto out = graph.make(input.shape.with_channels(1));
    std::fill_n(out.data, out.shape.size(), 0.0f);
    return out;
  }
};

/// One span of time with about as much signal as noise.
const Stairs one_span{.bins = 1, .inner = {.beta_min = 0.1, .beta_max = 4.0}};
const Bytes context{1, 1, 0}, query{0, 1, 1};

/// Largest distances of the estimates of the query from E[x0 | ctx, qry] (eq. 25) and E[x0 | ctx], over some states.
struct Distances {
  double from_field = 0, from_context = 0;
};
template <class L>
Distances distances(L& learned, const theory::Gaussian& law) {
  const auto level = theory::level_at(learned.stairs, 0.5);
  Distances d;
  for (const std::vector<float>& state : {std::vector<float>{1.0f, -0.5f, 0.8f}, {-0.3f, 0.9f, 1.5f}, {0.0f, 0.0f, -1.2f}}) {
    const std::vector<double> z(state.begin(), state.end());
    const auto x = learned.estimate({.context = context, .query = query, .time = 0.5, .state = state});
    const auto field = theory::probabilistic_field(law, context, z, query, z, level).mean();
    const auto given = law.given(context, z, level).mean();
    for (const Eigen::Index i : {1, 2}) {
      const auto own = static_cast<double>(x[static_cast<std::size_t>(i)]);
      d.from_field = std::max(d.from_field, std::abs(own - field[i]));
      d.from_context = std::max(d.from_context, std::abs(own - given[i]));
    }
  }
  return d;
}

/// Mean squared errors at missing values over the variance there, by the single step with K contexts drawn by `at_use`.
template <class L, class AtUse>
double single_step_error(L& learned, const Law& law, const AtUse& at_use, int members) {
  auto evaluate = learned.evaluator();
  double error = 0, variance = 0;
  for (int w = 0; w < 150; ++w) {
    const auto& masks = learned.samples.windows()[static_cast<std::size_t>(w)];
    std::vector<sampler::Request> requests(static_cast<std::size_t>(members));
    for (std::size_t k = 0; k < requests.size(); ++k) {
      requests[k].window = w;
      requests[k].member = k;
      mask::sampling_context(at_use, philox_key(1, Purpose::ensemble), k, masks, data::whole(learned.fields.grid),
                             requests[k].context);
    }
    std::vector<double> mean(masks.masks.size(), 0.0);
    evaluate(requests, [&](std::size_t, const sampler::Estimate& e) {
      for (std::size_t i = 0; i < mean.size(); ++i) mean[i] += static_cast<double>(e.anomaly[i]) / members;
    });
    const auto truth = law.truth(w);
    for (std::size_t i = 0; i < mean.size(); ++i) {
      if (masks.masks.observed[i] != 0) continue;
      const double x = truth[static_cast<Eigen::Index>(i)];
      error += (mean[i] - x) * (mean[i] - x);
      variance += x * x;
    }
  }
  return error / variance;
}

/// The same by many steps along a path: error of the members' mean, and the variance between members.
struct ManySteps {
  double error = 0, spread = 0;
};
template <class L>
ManySteps many_steps(L& learned, const Law& law, const std::vector<double>& path, int contexts) {
  constexpr std::size_t members = 12;
  auto evaluate = learned.evaluator();
  sampler::MultiStep draw(evaluate, learned.policy, sampler::Diffusion(learned.stairs, sampler::FirstOrder{}, path),
                          {.seed = 3, .contexts = contexts});
  ManySteps m;
  double variance = 0, count = 0;
  const auto n = static_cast<std::size_t>(law.cells);
  for (int w = 0; w < 150; ++w) {
    const auto& observed = learned.samples.windows()[static_cast<std::size_t>(w)].masks.observed;
    const auto x = draw(w, 0, members);
    const auto truth = law.truth(w);
    for (std::size_t i = 0; i < n; ++i) {
      double sum = 0, squares = 0;
      for (std::size_t k = 0; k < members; ++k) {
        const auto own = static_cast<double>(x[k * n + i]);
        if (observed[i] != 0) REQUIRE(x[k * n + i] == learned.fields.values[static_cast<std::size_t>(w) * n + i]);
        sum += own / members;
        squares += own * own / members;
      }
      if (observed[i] != 0) continue;
      const double known = truth[static_cast<Eigen::Index>(i)];
      m.error += (sum - known) * (sum - known);
      variance += known * known;
      m.spread += squares - sum * sum;
      count += 1;
    }
  }
  return {m.error / variance, m.spread / count};
}

}  // namespace

TEST_CASE("diffusion probabilistic fields learn E[x0 | ctx, qry] of equation 25, whatever they answer") {
  const auto f = Law{3, 0.7, 1.0}.fields(500);
  const auto law = empirical(f);
  const auto check = [&](auto& learned) {
    const auto d = distances(learned.learn(1500), law);
    CHECK(d.from_field < 0.05);
    CHECK(d.from_context > 0.5);
  };
  using Field = mask::ProbabilisticField<Fixed>;
  Learned<Field> noise({}, one_span, f);
  static_assert(std::is_same_v<decltype(noise)::Trainer::Matching, NoiseMatching>);
  check(noise);
  Learned<Field, DataMatching> data({}, one_span, f);
  check(data);
  Learned<Field, VelocityMatching> velocity({}, one_span, f);
  check(velocity);
}

TEST_CASE("the paper's objective learns E[x0 | ctx], whatever it answers for what is in the context") {
  const auto f = Law{3, 0.7, 1.0}.fields(500);
  const auto law = empirical(f);
  const auto check = [&](auto& learned) {
    const auto d = distances(learned.learn(1500), law);
    CHECK(d.from_context < 0.05);
    CHECK(d.from_field > 0.5);
  };
  Learned<Fixed> data({}, one_span, f);
  check(data);
  Learned<Fixed, NoiseMatching> noise({}, one_span, f);
  check(noise);
  Learned<Fixed, VelocityMatching> velocity({}, one_span, f);
  check(velocity);
  CHECK(data.parameters.values() != noise.parameters.values());
}

TEST_CASE("where no query is in the context, all matchings are one and the same bit for bit") {
  const auto f = Law{3, 0.7, 0.8}.fields(500);
  const auto policy = mask::Pixels::random_ratio();
  Learned<mask::Pixels> data(policy, one_span, f);
  Learned<mask::Pixels, NoiseMatching> noise(policy, one_span, f);
  Learned<mask::Pixels, VelocityMatching> velocity(policy, one_span, f);
  for (auto* p : {&data.learn(50).parameters, &noise.learn(50).parameters, &velocity.learn(50).parameters})
    CHECK(p->values() == data.parameters.values());
}

TEST_CASE("MissDiff leaves what it says of a missing value at its first weights") {
  const Law law{3, 0.7, 0.7};
  const auto f = law.fields(2000);
  const auto check = [&](auto&& learned) {
    const Bytes mask{1, 0, 1};
    const std::vector<float> state{0.4f, 9.0f, -0.7f};
    const sampler::Request request{.context = mask, .time = 0.5, .state = state};
    const auto before = learned.estimate(request), after = learned.learn(300).estimate(request);
    CHECK(after[1] == before[1]);
    CHECK(after[0] != before[0]);
  };
  check(Learned<mask::MissDiff>({}, one_span, f, 0.125f));
  check(Learned<mask::MissDiff, NoiseMatching>({}, one_span, f, 0.125f));
}

TEST_CASE("in one step an ensemble of contexts is better than AmbientDiff's one, and MissDiff knows nothing") {
  const Law law{3, 0.8, 0.7};
  const auto f = law.fields(4000);
  const Stairs stairs{.bins = 4};
  const mask::Pixels contexts{.ratio = 0.6f, .query = 0.7f};
  Learned<mask::Pixels> ours(contexts, stairs, f);
  Learned<mask::AmbientDiff<mask::Pixels>> ambient({contexts}, stairs, f);
  Learned<mask::MissDiff> miss({}, stairs, f);
  const double error = single_step_error(ours.learn(2000), law, contexts, 10),
               ambient_error = single_step_error(ambient.learn(2000), law, contexts, 1);
  CHECK(error < 0.5);
  CHECK(ambient_error > 1.1 * error);
  CHECK(ambient_error < 0.9);
  CHECK(single_step_error(miss.learn(500), law, mask::MissDiff{}, 1) == 1.0);  // weights that begin at 0 answer 0
}

TEST_CASE("in many steps all objectives fill gaps; probabilistic fields know nothing after one") {
  const Law law{2, 0.9, 0.7};
  const auto f = law.fields(4000);
  const Stairs stairs{.bins = 8};
  const mask::Pixels contexts{.ratio = 0.7f, .query = 0.7f};
  const std::vector<double> one_step{stairs.middle(7), stairs.middle(0)};
  Learned<mask::Pixels> ours(contexts, stairs, f);
  Learned<mask::AmbientDiff<mask::Pixels>> ambient({contexts}, stairs, f);
  Learned<mask::AmbientDiff<mask::Pixels>, VelocityMatching> velocity({contexts}, stairs, f);
  Learned<mask::MissDiff> miss({}, stairs, f);
  Learned<mask::ProbabilisticField<mask::AmbientDiff<mask::Pixels>>> field({{contexts}}, stairs, f);
  const auto check = [&](const ManySteps& m, double bar) {
    CHECK(m.error < bar);
    CHECK(m.spread > 0.01);
  };
  // Of the missing values 30 % have nothing beside them: exact answers leave 0.7 (1 - 0.9^2) + 0.3 = 0.43. An answer is worth
  // nothing (1) without its neighbour, and a random context has that half of the time.
  check(many_steps(ours.learn(1500), law, stairs.path(), 10), 0.85);
  check(many_steps(ambient.learn(1500), law, stairs.path(), 1), 0.85);
  check(many_steps(velocity.learn(1500), law, stairs.path(), 1), 0.85);
  check(many_steps(miss.learn(1500), law, stairs.path(), 1), 0.95);
  // Without the observations' mean (equation 28) what is known reaches a gap through the state alone, which tells less of it.
  check(many_steps(field.learn(1500), law, stairs.path(), 0), 0.9);
  CHECK(many_steps(field, law, one_step, 0).error > 0.9);
}

TEST_CASE("many steps of a probabilistic field keep one context, ask for everything and show one state twice") {
  const auto f = Law{3, 0.7, 0.7}.fields(50);
  const train::Samples samples(f, {.length = 1}, {});
  cpu::Device device({.threads = 1});
  Parameters<float> none;
  std::vector<std::vector<float>> inputs;
  const Spy spy{&inputs};
  sampler::SingleStep<Spy, Stairs, NoiseMatching> evaluate(device, samples, train::input_layout(samples, true), spy, none, {1.0f},
                                                           {}, {.bins = 6});
  const Stairs stairs{.bins = 6};
  sampler::MultiStep draw(evaluate, mask::Pixels{.ratio = 0.6f}, sampler::Diffusion(stairs, sampler::FirstOrder{}, stairs.path()),
                          {.seed = 2, .contexts = 0});
  std::vector<std::vector<float>> contexts;
  for (std::uint64_t member = 0; member < 8; ++member) {
    inputs.clear();
    draw(0, member, 1);
    REQUIRE(inputs.size() == 5);
    const std::size_t channels = inputs[0].size() / 3;
    contexts.emplace_back();
    for (std::size_t i = 0; i < 3; ++i) contexts.back().push_back(inputs[0][i * channels]);
    for (const auto& input : inputs)
      for (std::size_t i = 0; i < 3; ++i) {
        const float* x = input.data() + i * channels;
        CHECK(x[0] == contexts.back()[i]);
        CHECK(x[2] == 1);
        CHECK(x[1] == (x[0] != 0 ? x[3] : 0.0f));
      }
  }
  CHECK(std::any_of(contexts.begin(), contexts.end(), [&](const auto& c) { return c != contexts[0]; }));
}

TEST_CASE("probabilistic fields cannot be asked for one step from the observations, nor for their mean") {
  const auto f = Law{3, 0.7, 0.7}.fields(50);
  Learned<mask::ProbabilisticField<mask::Pixels>> field({}, one_span, f);
  int window = 0;
  while (field.samples.windows()[static_cast<std::size_t>(window)].masks.observed[1] != 0) ++window;
  CHECK_THROWS_WITH(field.estimate({.window = window, .context = context, .query = query}),
                    Catch::Matchers::Contains("not observed"));
  CHECK_THROWS_AS(field.estimate({.window = window, .context = context}), ShapeError);
  auto evaluate = field.evaluator();
  const Stairs two{.bins = 2};
  const sampler::Diffusion steps(two, sampler::FirstOrder{}, two.path());
  CHECK_THROWS_WITH(sampler::MultiStep(evaluate, field.policy, steps, {.contexts = 1}),
                    Catch::Matchers::Contains("no single-step mean"));
}
