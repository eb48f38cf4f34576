#include "lacuna/sampler/update.hpp"

#include "catch.hpp"
#include "support/probe.hpp"
#include "support/tolerances.hpp"

using namespace lacuna;
using sampler::UpdateWeights;

namespace {

/// Random arrays of one size; known values are poison where not observed, estimates where observed.
template <class T>
struct Case {
  std::vector<T> state, estimate, other, noise, known;
  std::vector<std::uint8_t> observed;

  explicit Case(std::size_t size)
      : state(test::normals<T>(size, 1)),
        estimate(test::normals<T>(size, 2)),
        other(test::normals<T>(size, 3)),
        noise(test::normals<T>(size, 4)),
        known(test::normals<T>(size, 5)) {
    for (std::size_t i = 0; i < size; ++i) {
      observed.push_back(i % 3 == 0 ? 1 : 0);
      (observed[i] != 0 ? estimate[i] : known[i]) = test::nan<T>;
      if (observed[i] != 0) other[i] = test::nan<T>;
    }
  }
  sampler::UpdateArrays<T> arrays(T* out) const {
    return {state.data(), estimate.data(), other.data(), noise.data(), known.data(), observed.data(), out};
  }
};

}  // namespace

TEST_CASE("update: a hand case") {
  const std::vector<double> state{1, 2}, estimate{10, 20}, other{100, 200}, noise{5, 6}, known{test::nan<double>, 7};
  const std::vector<std::uint8_t> observed{0, 1};
  std::vector<double> out(2);
  CHECK(sampler::update<double>(
      {2, 3, 4, 5}, {state.data(), estimate.data(), other.data(), noise.data(), known.data(), observed.data(), out.data()}, 2));
  CHECK(out == std::vector<double>{2 + 30 + 400 + 25, 4 + 21 + 28 + 30});
}

TEST_CASE("update: the vector version agrees with the plain one at every size, within its arrays") {
  for (const std::size_t size : {1u, 15u, 16u, 31u, 33u, 257u, 5003u}) {
    const Case<float> c(size);
    const UpdateWeights<float> w{0.3f, -0.7f, 0.2f, 1.1f};
    test::Guarded<float> given{std::vector<float>(size)}, plain{std::vector<float>(size)};
    CHECK(sampler::update(w, c.arrays(given.data()), size));
    sampler::update_plain(w, c.arrays(plain.data()), 0, size);
    CHECK(given.intact());
    CHECK(test::all_finite(given.content()));
    CHECK(test::relative_difference(given.content(), plain.content()) < test::tolerance::vector_against_plain);
  }
}

TEST_CASE("update: the output may be the state, and repeats bit for bit") {
  Case<float> c(100);
  std::vector<float> apart(100), again(100);
  const UpdateWeights<float> w{0.3f, -0.7f, 0.2f, 1.1f};
  sampler::update(w, c.arrays(apart.data()), 100);
  sampler::update(w, c.arrays(again.data()), 100);
  sampler::update(w, c.arrays(c.state.data()), 100);
  CHECK(apart == again);
  CHECK(apart == c.state);
}

TEST_CASE("update: an estimate that is not finite is told wherever it is") {
  for (const std::size_t at : {1u, 17u, 34u}) {
    Case<float> c(35);
    std::vector<float> out(35);
    for (const float bad : {test::nan<float>, std::numeric_limits<float>::infinity()}) {
      c.estimate[at] = bad;
      c.observed[at] = 0;
      CHECK_FALSE(sampler::update<float>({1, 1, 0, 0}, c.arrays(out.data()), 35));
    }
  }
}

TEST_CASE("clipped update: the noise is cut, and an observed element follows its value") {
  const std::vector<double> state{10, 1}, estimate{0, test::nan<double>}, known{test::nan<double>, 2};
  const std::vector<std::uint8_t> observed{0, 1};
  std::vector<double> out(2);
  CHECK(sampler::clipped_update<double>(
      0.5, 1, 0.8, 0.6, 5,
      {state.data(), estimate.data(), estimate.data(), state.data(), known.data(), observed.data(), out.data()}, 2));
  CHECK(out[0] == Approx(0.6 * 5));
  CHECK(out[1] == Approx(0.8 * 2));
}
