// What lacuna-fill does when its surroundings are not as one would wish: signals, other runs, full disks, streams that are
// closed, limits, inputs that change.

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "catch.hpp"
#include "examples/program.hpp"
#include "lacuna/data/netcdf.hpp"
#include "lacuna/data/stale_files.hpp"
#include "support/waves.hpp"

using namespace lacuna;
using Catch::Matchers::Contains;

namespace {

const std::string quick = " --hidden 4 --batch 2 --members 2 --mask pixels --threads 1 ";

struct Tool : Program {
  Tool() : Program(LACUNA_FILL) { make("in.nc", 1); }

  void make(const std::string& name, float factor) const {
    auto fields = waves::make(9, 1, waves::Gaps::pixels);
    fields.time_units = "days since 2000-01-01";
    for (std::size_t i = 0; i < fields.values.size(); i += 2) fields.values[i] *= factor;
    data::write_netcdf(folder / name, fields, true);
  }
  std::string arguments(const std::string& out) const { return (folder / "in.nc") + " -v wave0 -o " + (folder / out) + quick; }
  std::vector<float> filled(const std::string& out) const { return data::read_netcdf({folder / out}, {"wave0"}).values; }
};

/// The tool in the background.
class Background {
 public:
  Background(const Tool& tool, const std::string& arguments) : out_(tool.folder / "background") {
    std::filesystem::remove(out_);  // an earlier run's words are not this one's
    child_ = ::fork();
    const std::string command = "exec " LACUNA_FILL " " + arguments + " >" + out_ + " 2>" + out_ + ".error";
    if (child_ == 0) {
      for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::signal(signal, SIG_DFL);  // a job in the background ignores some
      ::execl("/bin/sh", "sh", "-c", command.c_str(), static_cast<char*>(nullptr));
      ::_exit(127);
    }
  }
  /// Waits until it has printed `word`.
  void await(const std::string& word) const {
    await_that([&] { return content(out_).find(word) != std::string::npos; });
  }
  /// Waits until there is such a file.
  void await_file(const std::string& path) const {
    await_that([&] { return std::filesystem::exists(path); });
  }
  void send(int signal) const { ::kill(child_, signal); }
  Run end() {
    int status = 0;
    ::waitpid(child_, &status, 0);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status), content(out_), content(out_ + ".error")};
  }

 private:
  template <class Condition>
  void await_that(const Condition& condition) const {
    for (int i = 0; i < 6000 && !condition(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    INFO(content(out_));
    REQUIRE(condition());
  }

  std::string out_;
  pid_t child_ = -1;
};

const std::string training_begins = "network: ";

}  // namespace

TEST_CASE("a signal ends a step, saves it and says how to go on; the run then ends where an unbroken one ends") {
  const Tool tool;
  const std::string steps = " --steps 600 ", state = " --save-every 0 --resume --checkpoint " + (tool.folder / "state");
  REQUIRE(tool(tool.arguments("unbroken.nc") + steps).code == 0);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    const bool first = !std::filesystem::exists(tool.folder / "state");
    Background run(tool, tool.arguments("out.nc") + steps + state);
    if (first)
      run.await_file(tool.folder / "state/state.safetensors");
    else
      run.await("resumed at step");
    run.send(signal);
    const Run end = run.end();
    CHECK(end.code == 128 + signal);
    CHECK_THAT(end.error, Contains("lacuna-fill: stopped by SIG") && Contains("of the training; with --resume it goes on from"));
    CHECK(std::count(end.error.begin(), end.error.end(), '\n') == 1);
    CHECK_FALSE(std::filesystem::exists(tool.folder / "out.nc"));
    CHECK(std::distance(std::filesystem::directory_iterator(tool.folder / "state"), {}) == 2);  // no temporary file, no lock
  }
  const Run last = tool(tool.arguments("out.nc") + steps + state);
  INFO(last.error);
  REQUIRE(last.code == 0);
  CHECK_THAT(last.out, Contains("resumed at step"));
  CHECK(tool.filled("out.nc") == tool.filled("unbroken.nc"));
}

TEST_CASE("a signal without a checkpoint says that nothing is kept, and leaves nothing") {
  const Tool tool;
  Background run(tool, tool.arguments("out.nc") + " --minutes 5");
  run.await(training_begins);
  run.send(SIGTERM);
  const Run end = run.end();
  CHECK(end.code == 128 + SIGTERM);
  CHECK_THAT(end.error, Contains("lacuna-fill: stopped by SIGTERM") && Contains("nothing"));
  CHECK(tool.folder.entries() == 3);  // input, and what the run printed
}

TEST_CASE("one output and one checkpoint have one run at a time") {
  const Tool tool;
  const std::string state = " --checkpoint " + (tool.folder / "state") + " --resume ";
  Background first(tool, tool.arguments("out.nc") + " --minutes 5 " + state);
  first.await(training_begins);
  tool.fails(tool.arguments("out.nc") + " --steps 4 --overwrite", "another run is writing it");
  tool.fails(tool.arguments("other.nc") + " --steps 4 " + state, "state.safetensors: another run is writing it");
  first.send(SIGKILL);
  CHECK(first.end().code == -SIGKILL);
  CHECK(tool(tool.arguments("out.nc") + " --steps 4 --overwrite").code == 0);  // its locks died with it
  CHECK_FALSE(std::filesystem::exists(tool.folder / ".out.nc.lock"));
}

TEST_CASE("an output that appears meanwhile is kept, and the filled file beside it") {
  const Tool tool;
  Background run(tool, tool.arguments("out.nc") + " --steps 600");
  run.await(training_begins);
  put_content(tool.folder / "out.nc", "precious");
  const Run end = run.end();
  CHECK(end.code == 1);
  CHECK_THAT(end.error, Contains("out.nc"));
  CHECK(content(tool.folder / "out.nc") == "precious");
  const bool beside = std::filesystem::exists(tool.folder / "out.nc.1");
  CHECK(tool.filled(beside ? "out.nc.1" : "out.nc.rescued.1").size() == tool.filled("in.nc").size());
}

TEST_CASE("temporary files that a killed run left are removed by the next") {
  const Tool tool;
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  ::waitpid(child, nullptr, 0);
  const std::string stale = tool.folder / (".out.nc." + data::host_name() + "." + std::to_string(child) + ".0.tmp");
  put_content(stale, "half");
  CHECK(tool(tool.arguments("out.nc") + " --steps 2").code == 0);
  CHECK_FALSE(std::filesystem::exists(stale));
}

TEST_CASE("an input that another program changes is refused at the end, and what was computed is kept") {
  const Tool tool;
  Background run(tool, tool.arguments("out.nc") + " --steps 600 --report " + (tool.folder / "r.json"));
  run.await(training_begins);
  tool.make("in.nc", 2);
  const Run end = run.end();
  CHECK(end.code == 1);
  CHECK_THAT(end.error, Contains("has been changed since it was read") && Contains("out.nc.rescued.1"));
  CHECK_FALSE(std::filesystem::exists(tool.folder / "out.nc"));
  const auto kept = data::read_netcdf({tool.folder / "out.nc.rescued.1"}, {"wave0", "wave0_spread"});
  for (const float x : kept.values) CHECK(std::isfinite(x));
  CHECK(nlohmann::json::parse(content(tool.folder / "r.json"))["steps"] == 600);
}

TEST_CASE("an input of the same content under a new date is the same input") {
  const Tool tool;
  Background run(tool, tool.arguments("out.nc") + " --steps 600");
  run.await(training_begins);
  std::filesystem::copy_file(tool.folder / "in.nc", tool.folder / "copy.nc");
  std::filesystem::rename(tool.folder / "copy.nc", tool.folder / "in.nc");
  CHECK(run.end().code == 0);
}

TEST_CASE("fewer threads than asked for are taken, and said") {
  const Tool tool;
  const auto run = [&](const std::string& environment) {
    const Program limited("timeout 60 env " + environment + " " LACUNA_FILL);
    return limited((tool.folder / "in.nc") + " -v wave0 -o " + (tool.folder / "out.nc") + " --overwrite --steps 4 --hidden 4 " +
                   "--batch 2 --members 2 --mask pixels --threads 1024");
  };
  const Run one = run("OMP_THREAD_LIMIT=1");
  CHECK(one.code == 0);
  CHECK_THAT(one.out, Contains("1024 threads were asked for: 1 are used"));
  CHECK(run("OMP_DYNAMIC=true").code == 0);
}

TEST_CASE("a reader that has seen enough does not end a run; what cannot be printed is an error, and the output is there") {
  const Tool tool;
  const auto code = [&](const std::string& rest) {
    std::filesystem::remove(tool.folder / "out.nc");
    const int status = std::system((std::string("bash -c '" LACUNA_FILL " ") + tool.arguments("out.nc") + " --steps 4 " + rest +
                                    "' >" + (tool.folder / "o") + " 2>" + (tool.folder / "e"))
                                       .c_str());
    CHECK(std::filesystem::exists(tool.folder / "out.nc"));
    return WEXITSTATUS(status);
  };
  CHECK(code("| head -1; exit ${PIPESTATUS[0]}") == 0);
  CHECK(code(">&- 2>&-") == 0);
  CHECK(code("<&-") == 0);
  CHECK(code(">/dev/full") == 1);
  CHECK_THAT(content(tool.folder / "e"), Contains("could be written to standard output"));
}

TEST_CASE("a limit on the size of files is an error, not the end") {
  const Tool tool;
  const int status = std::system(
      ("bash -c 'ulimit -f 8; " LACUNA_FILL " " + tool.arguments("out.nc") + " --steps 4' >/dev/null 2>" + (tool.folder / "e"))
          .c_str());
  CHECK(WEXITSTATUS(status) == 1);
  CHECK_THAT(content(tool.folder / "e"), Contains("out.nc") && Contains("File too large"));
  CHECK_FALSE(std::filesystem::exists(tool.folder / "out.nc"));
}

TEST_CASE("a limit on the address space is said in a line") {
  const Tool tool;
  for (const std::string limit : {"200000", "400000", "600000"}) {
    const int status = std::system(("bash -c 'ulimit -v " + limit + "; " LACUNA_FILL " " + tool.arguments("out.nc") +
                                    " --overwrite --steps 4' >/dev/null 2>" + (tool.folder / "e"))
                                       .c_str());
    INFO(limit << ": " << content(tool.folder / "e"));
    CHECK((WIFEXITED(status) && WEXITSTATUS(status) <= 1));
    if (WEXITSTATUS(status) == 1) CHECK_THAT(content(tool.folder / "e"), Contains("memory"));
  }
}

TEST_CASE("--memory is kept, by what is planned and by what is taken") {
  const Tool tool;
  for (const int hidden : {4, 16}) {
    for (const int limit : {50, 60, 80}) {
      const auto run = tool((tool.folder / "in.nc") + " -v wave0 -o " + (tool.folder / "out.nc") + " --overwrite --steps 2 " +
                            "--members 2 --mask pixels --threads 1 --hidden " + std::to_string(hidden) + " --memory " +
                            std::to_string(limit) + "MB --report " + (tool.folder / "r.json"));
      INFO("hidden " << hidden << ", " << limit << " MB: " << run.error);
      if (run.code != 0) {
        CHECK_THAT(run.error, Contains("--memory " + std::to_string(limit) + " MB"));
        continue;
      }
      const auto report = nlohmann::json::parse(content(tool.folder / "r.json"));
      CHECK(report["planned_memory_bytes"] <= limit * 1000000);
      CHECK(report["peak_memory_bytes"] <= limit * 1000000);
    }
  }
}

TEST_CASE("what is known before is told before training: places that cannot be written, spreads that are there already") {
  const Tool tool;
  const std::string long_run = " --minutes 5 ";
  const auto start = std::chrono::steady_clock::now();
  tool.fails(tool.arguments("state") + long_run + " --checkpoint " + (tool.folder / "state"), "names of their own");
  tool.fails(tool.arguments("new") + long_run + " --checkpoint " + (tool.folder / "new/deep"), "names of their own");
  tool.fails(tool.arguments(std::string(300, 'n')) + long_run, "too long");
  tool.fails(tool.arguments("out.nc") + long_run + " --picture " + (tool.folder / (std::string(300, 'n'))), "too long");
  tool.fails(tool.arguments("out.nc") + " --contexts 1e-300", "--contexts 1e-300: expected");
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(60));
  REQUIRE(tool(tool.arguments("first.nc") + " --steps 2").code == 0);
  const auto spread = data::read_netcdf({tool.folder / "first.nc"}, {"wave0_spread"});
  auto fields = data::read_netcdf({tool.folder / "in.nc"}, {"wave0"});
  data::Fields both = fields;
  both.names.push_back("wave0_spread");
  both.values.clear();
  for (std::size_t i = 0; i < fields.values.size(); ++i)
    both.values.insert(both.values.end(), {fields.values[i], spread.values[i]});
  data::write_netcdf(tool.folder / "in.nc", both, true);
  const Run again = tool(tool.arguments("second.nc") + " --steps 2");
  CHECK(again.code == 0);
  CHECK_THAT(again.out, Contains("wave0_spread of the input is replaced by this run's own"));
}

TEST_CASE("numbers that are none, or none that can be, name their option") {
  const Tool tool;
  const std::string run = tool.arguments("out.nc");
  tool.fails(run + " --steps 0", "--steps 0: expected a whole number from 1");
  tool.fails(run + " --steps ''", "--steps");
  tool.fails(run + " --minutes 0", "--minutes 0: expected more than 0");
  tool.fails(run + " --minutes -1e308", "--minutes -1e+308: expected more than 0");
  tool.fails(run + " --withhold nan", "--withhold nan: expected");
  tool.fails(run + " --learn-frames 0:4294967305", "--learn-frames 0:4294967305: expected FIRST:END");
  tool.fails(run + " --memory 1e-9MB", "--memory 1e-9MB: expected");
  tool.fails(run + " --steps 2 --checkpoint " + (tool.folder / "state") + " --save-every -1e308",
             "--save-every -1e+308: expected");
}

TEST_CASE("a resumed run with another option names that option") {
  const Tool tool;
  const std::string state = " --steps 4 --checkpoint " + (tool.folder / "state") + " --resume ";
  REQUIRE(tool(tool.arguments("first.nc") + state).code == 0);
  tool.fails(tool.arguments("out.nc") + state + " --seed 2", "seed is 1 there and 2 here");
  tool.fails(tool.arguments("out.nc") + state + " --withhold 0.2", "held-out share is 0.1 there and 0.2 here");
  tool.make("in.nc", 2);
  tool.fails(tool.arguments("out.nc") + state, "observed values differ");
}
