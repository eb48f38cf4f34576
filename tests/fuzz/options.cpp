// lacuna-fill's command line of any words: what is accepted are settings that a run can begin with.

#include "lacuna/fill/options.hpp"

#include <cmath>

#include "examples/fill_options.hpp"
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
  fuzz::expect(!o.inputs.empty() && !o.variables.empty(), "there are an input and a variable");
  fuzz::expect(o.members == 0 || (o.members >= 2 && o.members <= 1000), "members are chosen, or 2 to 1000");
  fuzz::expect(o.steps >= 0 && o.minutes >= 0 && std::isfinite(o.minutes), "a training has an end");
  fuzz::expect(o.ratio >= 0 && o.ratio < 1, "a ratio hides something");
  fuzz::expect(o.contexts.ratio > 0 && o.contexts.ratio <= 1, "contexts have a ratio");
  fuzz::expect(o.learning_rate > 0 && std::isfinite(o.learning_rate), "a learning rate is a positive number");
  fuzz::expect(o.save_every >= 0 && std::isfinite(o.save_every), "seconds between checkpoints are a number");
  fuzz::expect(o.threads >= 0 && o.hidden >= 4 && o.batch >= 0 && o.crop >= -1, "sizes are within their limits");
  fuzz::expect(o.learned == data::FrameRange{} || (o.learned.begin >= 0 && o.learned.size() > 0), "frames to learn from");
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
