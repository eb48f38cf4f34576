#include "lacuna/fill/training.hpp"

#include "catch.hpp"
#include "waves.hpp"

using namespace lacuna;
using namespace lacuna::fill;

namespace {

std::string value_of(const Fingerprint& marks, const std::string& name) {
  for (const Mark& mark : marks)
    if (mark.name == name) return mark.value;
  return "absent";
}

}  // namespace

TEST_CASE("a run is told by its options first, then by what follows from them and from the data") {
  const auto fields = waves::make(12, 1, waves::Gaps::pixels);
  const Options o{.seed = 7, .withhold = 0.2};
  const auto study = make_study(fields, o.window, o.withhold, o.seed);
  const auto marks = fingerprint(o, study, {}, {});
  CHECK(value_of(marks, "seed") == "7");
  CHECK(value_of(marks, "held-out share") == "0.2");
  CHECK(value_of(marks, "learned frames") == "0:12");
  const auto first_digest = std::find_if(marks.begin(), marks.end(), [](const Mark& m) { return m.is_digest; });
  for (const char* option : {"version", "variables", "seed", "steps", "window", "learned frames", "held-out share", "batch"})
    CHECK(std::any_of(marks.begin(), first_digest, [&](const Mark& m) { return m.name == option; }));

  auto changed = fields;
  for (float& x : changed.values)
    if (!std::isnan(x)) {
      x += 1000.0f * x * x;
      break;
    }
  const auto other = fingerprint(o, make_study(changed, o.window, o.withhold, o.seed), {}, {});
  CHECK(value_of(other, "observed values") != value_of(marks, "observed values"));
  CHECK(value_of(other, "coordinates") == value_of(marks, "coordinates"));
  Options part = o;
  part.learned = {0, 9};
  CHECK(value_of(fingerprint(part, study, {}, {}), "learned frames") == "0:9");
}
