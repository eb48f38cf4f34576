#include "lacuna/mask/any_policy.hpp"

#include <vector>

#include "catch.hpp"
#include "lacuna/mask/partition.hpp"

using namespace lacuna;
using namespace lacuna::mask;

TEST_CASE("a policy chosen at run time draws what the policy itself draws") {
  const std::vector<std::uint8_t> observed(2 * 9 * 9, 1);
  const Masks masks{2, 9, 9, 1, false, observed};
  const Window window{masks, group_planes(masks)};
  const auto key = philox_key(5, Purpose::context);
  const auto same = [&](const auto& policy) {
    Partition direct, any;
    for (std::uint64_t sample = 0; sample < 4; ++sample) {
      partition(policy, key, sample, window, {0, 0, 9, 9}, direct);
      partition(AnyPolicy(policy), key, sample, window, {0, 0, 9, 9}, any);
      CHECK(direct.context == any.context);
      CHECK(direct.query == any.query);
    }
    CHECK(direct.query_count > 0);
  };
  same(Pixels::random_ratio());
  same(Pixels{.query = 1.0f, .random = true, .rest = false});
  same(Pixels{});
  same(Blocks{});
  same(Observed{});
  same(AmbientDiff<Pixels>{Pixels{}});
  same(AmbientDiff<Blocks>{Blocks{}});
}
