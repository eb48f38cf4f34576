#include "ensemble.cuh"

#include "catch.hpp"
#include "cuda_emulation/buffer.hpp"
#include "kernels/orders.hpp"
#include "lacuna/sampler/ensemble.hpp"
#include "support/compare.hpp"
#include "support/fill.hpp"
#include "support/tolerances.hpp"

using namespace lacuna;
using cuda_emulation::Buffer;

namespace {

struct Case {
  int members;
  std::vector<float> estimates, values;
  std::vector<std::uint8_t> observed;

  Case(int members_, std::size_t n)
      : members(members_),
        estimates(test::normals<float>(n * static_cast<std::size_t>(members_), 1)),
        values(test::normals<float>(n, 2)),
        observed(test::coins(n, 0.5f, 3)) {
    for (float& x : estimates) x += 30.0f;  // far from zero: where sums of squares would lose their digits
  }
  std::size_t size() const { return values.size(); }
};

struct Moments {
  std::vector<float> mean, deviation;
  bool operator==(const Moments&) const = default;
};

Moments on_gpu(const Case& c, std::size_t offset) {
  Buffer<float> estimates(c.estimates, offset), values(c.values, offset), mean(c.size(), offset), deviation(c.size(), offset);
  Buffer<std::uint8_t> observed(c.observed, offset);
  kernels::ensemble({}, estimates, c.members, c.size(), observed, values, mean, deviation);
  CHECK((mean.intact() && deviation.intact()));
  return {mean.content(), deviation.content()};
}

Moments on_cpu(const Case& c) {
  sampler::RunningMoments moments(c.size());
  const std::vector<float> none(c.size(), 0.0f);
  for (int k = 0; k < c.members; ++k)
    moments.add({c.estimates.data() + static_cast<std::size_t>(k) * c.size(), none.data(), none.data()});
  Moments out{moments.mean(), std::vector<float>(c.size())};
  for (std::size_t i = 0; i < c.size(); ++i) {
    out.deviation[i] = c.observed[i] != 0 ? 0.0f : moments.deviation(i);
    if (c.observed[i] != 0) out.mean[i] = c.values[i];
  }
  return out;
}

}  // namespace

TEST_CASE("Ensemble kernel: agrees with the CPU for any number of members, aligned or not, in every order") {
  for (const int members : {1, 2, 5, 10})
    for (const std::size_t size : {1u, 6u, 33u, 256u, 1029u, 4100u})
      for (const std::size_t offset : {0u, 2u}) {
        const Case c(members, size);
        const Moments expected = on_cpu(c);
        test::in_every_order([&] {
          INFO(members << " members, " << size << " elements, offset " << offset);
          const Moments given = on_gpu(c, offset);
          CHECK(test::relative_difference(given.mean, expected.mean) < test::tolerance::kernel);
          CHECK(test::relative_difference(given.deviation, expected.deviation) < test::tolerance::kernel);
        });
      }
}

TEST_CASE("Ensemble kernel: NaN that the mask hides changes no bit, and observed values are kept bit for bit") {
  for (const std::size_t size : {1024u, 1023u}) {
    Case c(4, size);
    const Moments clean = on_gpu(c, 0);
    for (std::size_t i = 0; i < size; ++i) {
      if (c.observed[i] == 0) {
        c.values[i] = test::nan<float>;
      } else {
        CHECK(clean.mean[i] == c.values[i]);
        CHECK(clean.deviation[i] == 0);
        c.estimates[size + i] = test::nan<float>;
      }
    }
    CHECK(on_gpu(c, 0) == clean);
  }
}
