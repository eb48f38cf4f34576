#include "reproduce/job.hpp"

#include <variant>

#include "catch.hpp"
#include "support/probe.hpp"

using namespace lacuna;
using experiment::Job;

namespace {

Job job(const std::string& method, const std::string& gaps = "p80") {
  return {.set = "advection", .gaps = gaps, .method = method};
}

}  // namespace

TEST_CASE("an objective draws contexts with the structure of the gaps") {
  using namespace mask;
  const auto policy = [](const Job& j) { return experiment::policy_of(j).policies(); };
  CHECK(std::get<Pixels>(policy(job("ours"))).ratio == 0.7f);
  CHECK(std::get<Pixels>(policy(job("ours:0.5:0.9"))).query == 0.9f);
  CHECK(std::get<Pixels>(policy(job("random"))).random);
  CHECK(std::get<Pixels>(policy(job("random"))).rest);
  CHECK(std::get<Pixels>(policy(job("random:0.9"))).random);
  CHECK_FALSE(std::get<Pixels>(policy(job("random:0.9"))).rest);
  CHECK(std::get<Pixels>(policy(job("random:0.9"))).query == 0.9f);
  CHECK(std::holds_alternative<Blocks>(policy(job("ours", "b8"))));
  CHECK(std::holds_alternative<Pixels>(policy(job("pixel-contexts", "b8"))));
  CHECK(std::holds_alternative<MissDiff>(policy(job("missdiff", "b8"))));
  CHECK(std::holds_alternative<AmbientDiff<Blocks>>(policy(job("ambientdiff", "b8"))));
  CHECK(std::holds_alternative<AmbientDiff<Pixels>>(policy(job("ambientdiff"))));
  CHECK(test::message_of<OptionError>([&] { policy(job("theirs")); }) ==
        "objective theirs: expected ours, random, pixel-contexts, missdiff or ambientdiff");
  for (const char* wrong : {"ours:0.5", "random:0.5:1", "missdiff:1:2"})
    CHECK(test::message_of<OptionError>([&] { policy(job(wrong)); }) ==
          text("objective ", wrong, ": expected one word, ours:CONTEXT:QUERY or random:QUERY"));
}

TEST_CASE("jobs that differ in use share their training, and all have names of their own") {
  Job contexts = job("ours"), mask = contexts, other = contexts, classical = contexts;
  mask.use = "mask";
  other.test_gaps = "p20";
  classical.use.clear();
  CHECK(contexts.training() == mask.training());
  CHECK(contexts.training() == other.training());
  CHECK(contexts.key() != mask.key());
  CHECK(contexts.key() != other.key());
  CHECK(classical.key() != contexts.key());
  Job classical_on_others = classical;
  classical_on_others.test_gaps = "p20";
  CHECK(classical_on_others.key() != classical.key());
  CHECK(job("ours").training() != job("missdiff").training());
  CHECK(job("ours:0.5:0.5").key().find(':') == std::string::npos);
}
