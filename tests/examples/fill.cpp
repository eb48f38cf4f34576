// lacuna-fill as a user runs it: files in and out, resuming, and one clear line for every mistake.

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "catch.hpp"
#include "examples/program.hpp"
#include "lacuna/data/netcdf.hpp"
#include "support/waves.hpp"

using namespace lacuna;

namespace {

struct Tool : Program {
  Tool() : Program(LACUNA_FILL) {}

  /// Writes gappy waves and returns the file's name.
  std::string input(const std::string& name, data::Fields fields) const {
    fields.time_units = "days since 2000-01-01";
    data::write_netcdf(folder / name, fields, true);
    return folder / name;
  }
  std::string gappy() const { return input("in.nc", waves::make(9, 1, waves::Gaps::pixels)); }

  /// As Program's, and that no output appeared.
  void fails(const std::string& arguments, const std::string& what) const {
    Program::fails(arguments, what);
    CHECK_FALSE(std::filesystem::exists(folder / "out.nc"));
  }
};

/// When a file was last replaced; the start of time if there is none.
std::filesystem::file_time_type changed_at(const std::string& path) {
  std::error_code absent;
  const auto time = std::filesystem::last_write_time(path, absent);
  return absent ? std::filesystem::file_time_type{} : time;
}

const std::string quick = " --steps 4 --hidden 4 --batch 2 --members 2 --mask pixels ";

}  // namespace

TEST_CASE("a gappy file is filled; report and picture are written; what exists is kept unless told otherwise") {
  const Tool tool;
  const std::string in = tool.gappy(), out = tool.folder / "out.nc";
  const std::string arguments =
      in + " -v wave0 -o " + out + quick + " --report " + (tool.folder / "r.json") + " --picture " + (tool.folder / "p.png");
  const auto run = tool(arguments);
  INFO(run.error);
  REQUIRE(run.code == 0);
  CHECK(run.error.empty());  // no progress bar where standard error is no terminal
  for (const char* word : {"kriging", "laplace", "nearest", "climatology", "mean", "lacuna", "planned peak memory"})
    CHECK_THAT(run.out, Catch::Matchers::Contains(word));
  const auto before = data::read_netcdf({in}, {"wave0"}), after = data::read_netcdf({out}, {"wave0"});
  const auto spread = data::read_netcdf({out}, {"wave0_spread"});
  for (std::size_t i = 0; i < before.values.size(); ++i) {
    CHECK(std::isfinite(after.values[i]));
    CHECK(std::isfinite(spread.values[i]));
    if (!std::isnan(before.values[i])) CHECK(after.values[i] == before.values[i]);
  }
  const auto report = nlohmann::json::parse(content(tool.folder / "r.json"));
  CHECK(report["steps"] == 4);
  CHECK(report["withheld_nmse"].contains("lacuna"));
  CHECK(content(tool.folder / "p.png").substr(1, 3) == "PNG");

  const std::string kept = content(out);
  const auto again = tool(arguments);
  CHECK(again.code == 1);
  CHECK_THAT(again.error, Catch::Matchers::Contains("exists"));
  CHECK(content(out) == kept);
}

TEST_CASE("an interrupted run goes on from its checkpoint, and a foreign checkpoint is refused") {
  const Tool tool;
  const std::string in = tool.gappy(), state = tool.folder / "state";
  const auto arguments = [&](const std::string& out) {
    return in + " -v wave0 -o " + (tool.folder / out) + quick + " --checkpoint " + state;
  };
  const auto first = tool(arguments("a.nc") + " --resume");
  CHECK(first.code == 0);
  CHECK_THAT(first.out, Catch::Matchers::Contains("no checkpoint in"));
  tool.fails(arguments("out.nc"), "state.safetensors");  // an earlier run's state is not thrown away
  const auto second = tool(arguments("b.nc") + " --resume");
  CHECK(second.code == 0);
  CHECK_THAT(second.out, Catch::Matchers::Contains("resumed at step 4"));
  CHECK(data::read_netcdf({tool.folder / "a.nc"}, {"wave0"}).values ==
        data::read_netcdf({tool.folder / "b.nc"}, {"wave0"}).values);
  tool.fails(arguments("out.nc") + " --resume --seed 2", "belongs to another run");
  std::ofstream(state + "/state.safetensors") << "damaged";
  tool.fails(arguments("out.nc") + " --resume", "state.safetensors");
}

TEST_CASE("a run that is killed again and again ends bit for bit where an unbroken one ends") {
  const Tool tool;
  const std::string in = tool.gappy(), state = tool.folder / "state", log = tool.folder / "log";
  const auto arguments = [&](const std::string& out) {
    return in + " -v wave0 -o " + (tool.folder / out) + " --steps 400 --hidden 4 --batch 2 --members 2 --mask pixels --threads 2";
  };
  REQUIRE(tool(arguments("unbroken.nc")).code == 0);
  const auto checkpointed = arguments("killed.nc") + " --resume --save-every 0 --checkpoint " + state;
  int killed = 0;
  for (; killed < 3; ++killed) {
    const auto before = changed_at(state + "/state.safetensors");
    const pid_t child = fork();
    if (child == 0) {
      const auto command = "exec " + std::string(LACUNA_FILL) + " " + checkpointed + " >>" + log + " 2>&1";
      execl("/bin/sh", "sh", "-c", command.c_str(), static_cast<char*>(nullptr));
      _exit(127);
    }
    int status = 0;
    while (changed_at(state + "/state.safetensors") == before && waitpid(child, &status, WNOHANG) == 0)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    INFO(content(log));
    REQUIRE(WIFSIGNALED(status));
  }
  const auto last = tool(checkpointed);
  INFO(last.error);
  REQUIRE(last.code == 0);
  CHECK_THAT(last.out, Catch::Matchers::Contains("resumed at step"));
  for (const char* name : {"wave0", "wave0_spread"})
    CHECK(data::read_netcdf({tool.folder / "killed.nc"}, {name}).values ==
          data::read_netcdf({tool.folder / "unbroken.nc"}, {name}).values);
}

TEST_CASE("a classical method fills without training, with report, picture and spread") {
  const Tool tool;
  const std::string in = tool.gappy(), out = tool.folder / "out.nc";
  const auto run = tool(in + " -v wave0 -o " + out + " --method linear --report " + (tool.folder / "r.json") + " --picture " +
                        (tool.folder / "p.png"));
  INFO(run.error);
  REQUIRE(run.code == 0);
  for (const char* word : {"linear", "mean", "held-out"}) CHECK_THAT(run.out, Catch::Matchers::Contains(word));
  for (const char* word : {"training", "lacuna  ", "planned"}) CHECK_THAT(run.out, !Catch::Matchers::Contains(word));
  const auto before = data::read_netcdf({in}, {"wave0"}), after = data::read_netcdf({out}, {"wave0"});
  const auto spread = data::read_netcdf({out}, {"wave0_spread"});
  for (std::size_t i = 0; i < before.values.size(); ++i) {
    CHECK(std::isfinite(after.values[i]));
    CHECK((spread.values[i] > 0) == std::isnan(before.values[i]));
    if (!std::isnan(before.values[i])) CHECK(after.values[i] == before.values[i]);
  }
  const auto report = nlohmann::json::parse(content(tool.folder / "r.json"));
  CHECK(report["method"] == "linear");
  CHECK(report["withheld_nmse"]["linear"] < report["withheld_nmse"]["mean"]);
  CHECK(content(tool.folder / "p.png").substr(1, 3) == "PNG");
}

TEST_CASE("options of training are refused with a classical method") {
  const Tool tool;
  const std::string arguments = tool.gappy() + " -v wave0 -o " + (tool.folder / "out.nc") + " --method nearest";
  for (const char* option : {"--steps 5", "--minutes 1", "--network fno", "--members 10", "--background none", "--mask pixels",
                             "--ratio 0.5", "--contexts self", "--hidden 8", "--batch 2", "--crop 8", "--learning-rate 0.01",
                             "--checkpoint state", "--save-every 1", "--resume", "--allow-unexposed"})
    tool.fails(arguments + " " + option, std::string(option).substr(0, std::string(option).find(' ')) + ": has no meaning");
  tool.fails(tool.gappy() + " -v wave0 -o " + (tool.folder / "out.nc") + " --method spline", "--method spline");
}

TEST_CASE("OpenCV's methods fill, or name the package that the build lacks") {
  const Tool tool;
  for (const std::string method : {"telea", "navier-stokes"}) {
    const auto arguments = tool.gappy() + " -v wave0 -o " + (tool.folder / "out.nc") + " --overwrite --method " + method;
#ifdef LACUNA_FILL_HAS_OPENCV
    CHECK(tool(arguments).code == 0);
#else
    tool.fails(arguments, "libopencv-photo-dev");
#endif
  }
}

TEST_CASE("mistakes in the input get one line") {
  const Tool tool;
  const std::string in = tool.gappy(), out = " -o " + (tool.folder / "out.nc") + quick;
  tool.fails((tool.folder / "absent.nc") + " -v wave0" + out, "absent.nc");
  put_content(tool.folder / "text.nc", "this is no NetCDF file");
  tool.fails((tool.folder / "text.nc") + " -v wave0" + out, "text.nc");
  tool.fails(in + " -v wind" + out, "wave0");  // lists the variables there are
  auto fields = waves::make(9, 1, waves::Gaps::pixels, 2.0f);
  tool.fails(tool.input("full.nc", fields) + " -v wave0" + out, "nothing is missing");
  for (auto& x : fields.values) x = data::not_observed;
  tool.fails(tool.input("empty.nc", fields) + " -v wave0" + out, "all values are missing");
  fields = waves::make(9, 1, waves::Gaps::pixels);
  fields.values[40] = std::numeric_limits<float>::infinity();
  tool.fails(tool.input("infinite.nc", fields) + " -v wave0" + out, "infinite");
  fields = waves::make(2, 1, waves::Gaps::pixels, 2.0f);
  fields.values[40] = data::not_observed;
  tool.fails(tool.input("short.nc", fields) + " -v wave0" + out, "fewer than a window of 3");
}

TEST_CASE("mistakes in the options get one line") {
  const Tool tool;
  const std::string in = tool.gappy() + " -v wave0", out = " -o " + (tool.folder / "out.nc");
  tool.fails(tool.gappy() + " -v wave0 --overwrite -o " + (tool.folder / "in.nc"), "in.nc");
  tool.fails(in + " -o /absent/folder/out.nc", "/absent/folder");
  tool.fails(in + out + " --window 0", "length 0");
  tool.fails(in + out + " --withhold 0.9", "--withhold 0.9");
  tool.fails(in + out + " --members 1", "members");
  tool.fails(in + out + " --mask stripes", "stripes");
  tool.fails(in + out + " --background magic", "magic");
  tool.fails(in + out + " --contexts 1.5", "--contexts 1.5");
  tool.fails(in + out + " --resume", "--checkpoint");
  tool.fails(in + out + " --steps -3", "--steps");
  tool.fails(in + out + " --unknown", "--unknown");
  tool.fails(in + out + " --hidden 17", "--hidden 17");
  tool.fails(in + out + " --report " + (tool.folder / "out.nc"), "names of their own");
  tool.fails(in + out + " --picture " + (tool.folder / "./out.nc"), "names of their own");
  tool.fails(in, "--output");
  tool.fails(in + out + " --learn-frames 0:0", "--learn-frames 0:0");
  tool.fails(in + out + " --seed -1", "--seed -1: expected a whole number");
  tool.fails(in + out + " --steps 99999999999999999999", "--steps 99999999999999999999");
  tool.fails(in + out + " --learning-rate inf", "--learning-rate inf: expected a positive number");
  tool.fails(in + out + " --ratio 1", "--ratio 1: expected");
  tool.fails(in + out + " --save-every 5", "--checkpoint");
}

TEST_CASE("names that the output would have twice are refused before any work") {
  const Tool tool;
  const std::string in = tool.input("pair.nc", [] {
    auto f = waves::make(9, 2, waves::Gaps::pixels);
    f.names = {"a", "a_spread"};
    return f;
  }());
  const auto start = std::chrono::steady_clock::now();
  tool.fails(in + " -v a -v a_spread -o " + (tool.folder / "out.nc") + " --minutes 5", "two variables a_spread");
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(60));
}

TEST_CASE("the files of a checkpoint are no outputs, however they are spelled") {
  const Tool tool;
  const std::string state = tool.folder / "state", in = tool.gappy() + " -v wave0 -o " + (tool.folder / "out.nc");
  std::filesystem::create_directories(state);
  for (const char* name : {"state.safetensors", "parameters.safetensors"})
    for (const std::string way : {"/", "/./", "/../state/"})
      tool.fails(in + " --checkpoint " + state + " --report " + state + way + name, "names of their own");
}

TEST_CASE("profile, memory limit and recomputation change nothing of the result, and say what they were asked") {
  const Tool tool;
  const std::string in = tool.gappy() + " -v wave0 --steps 5 --hidden 4 --members 2 --mask pixels --batch 2 -o ";
  const auto values = [&](const std::string& name) { return data::read_netcdf({tool.folder / name}, {"wave0"}).values; };
  REQUIRE(tool(in + (tool.folder / "plain.nc")).code == 0);
  const auto asked = tool(in + (tool.folder / "asked.nc") + " --profile --memory 8GB --recompute");
  INFO(asked.error);
  REQUIRE(asked.code == 0);
  for (const char* word : {"convolution", "masked_loss", "optimizer", "samples", "recompute", "over 2 steps",
                           "planned peak memory (* within 8000 MB)"})
    CHECK_THAT(asked.out, Catch::Matchers::Contains(word));
  CHECK(values("asked.nc") == values("plain.nc"));
  tool.fails(in + (tool.folder / "out.nc") + " --memory 1MB", "--memory 1 MB: --batch 2 would take");
  tool.fails(in + (tool.folder / "out.nc") + " --memory much", "--memory much: expected a number and MB, GB, MiB or GiB");
}

TEST_CASE("pixel contexts on data that miss blocks are refused") {
  const Tool tool;
  const std::string in = tool.input("blocks.nc", waves::make(24, 1, waves::Gaps::blocks));
  tool.fails(in + " -v wave0 --mask pixels --steps 2 -o " + (tool.folder / "out.nc"), "exposure audit");
}
