// lacuna-fill's command line of any words: what is accepted are settings that a run can begin with.

#include "fill/options.hpp"

#include <cmath>

#include "fill/command_line.hpp"
#include "input.hpp"

using namespace lacuna;

namespace {

void parse(const std::vector<std::string>& words, fill::Options& options) {
  CLI::App app{"fuzzed"};
  Words own;
  declare(app, options, own);
  std::vector<const char*> arguments = {"lacuna-fill"};
  for (const std::string& word : words) arguments.push_back(word.c_str());
  app.parse(static_cast<int>(arguments.size()), arguments.data());
  take_words(app, own, options);
  fill::validate(options);
}

void expect_usable(const fill::Options& o) {
  const Settings& s = o.settings;
  const auto& t = s.training;
  fuzz::expect(!o.inputs.empty() && !o.variables.empty(), "there are an input and a variable");
  fuzz::expect(s.ensemble.members == 0 || (s.ensemble.members >= 2 && s.ensemble.members <= 1000),
               "members are chosen, or 2 to 1000");
  fuzz::expect(t.budget.steps >= 0 && t.budget.minutes >= 0 && std::isfinite(t.budget.minutes), "a training has an end");
  fuzz::expect(s.policy.ratio >= 0 && s.policy.ratio < 1, "a ratio hides something");
  fuzz::expect(s.ensemble.ratio > 0 && s.ensemble.ratio <= 1, "contexts have a ratio");
  fuzz::expect(t.learning_rate > 0 && std::isfinite(t.learning_rate), "a learning rate is a positive number");
  fuzz::expect(t.checkpoint.save_every >= 0 && std::isfinite(t.checkpoint.save_every),
               "seconds between checkpoints are a number");
  fuzz::expect(s.threads >= 0 && s.network.hidden >= 4 && t.batch >= 0 && t.crop >= -1, "sizes are within their limits");
  fuzz::expect(s.training_frames == data::FrameRange{} || (s.training_frames.begin >= 0 && s.training_frames.size() > 0),
               "frames to learn from");
}

}  // namespace

/// A word a line.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fill::Options options;
  try {
    if (!fuzz::refused([&] { parse(fuzz::Bytes(data, size).lines(), options); })) expect_usable(options);
  } catch (const CLI::ParseError&) {
  }
  return 0;
}
