// generate as a user runs it: a file of samples, going on after a kill, and one clear line for every mistake.

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>

#include "catch.hpp"
#include "examples/program.hpp"
#include "lacuna/physics/advection.hpp"
#include "lacuna/physics/sample_file.hpp"

using namespace lacuna;
using Catch::Matchers::Contains;

namespace {

struct Generate : Program {
  Generate() : Program(LACUNA_GENERATE) {}
};

}  // namespace

TEST_CASE("every set is made, says nothing on standard error, and a second run finds it done") {
  const Generate generate;
  const std::string set = GENERATE("advection", "shallow-water", "kolmogorov", "decaying");
  const bool flow = set == "kolmogorov" || set == "decaying";
  const std::string path = generate.folder / "s.nc";
  const std::string arguments =
      set + " -o " + path + (flow ? " --samples 1 --size 64" : " --samples 3 --size 16") + " --threads 2";
  const auto run = generate(arguments);
  INFO(run.error);
  REQUIRE(run.code == 0);
  CHECK(run.error.empty());
  CHECK_THAT(run.out, Contains(flow ? "1 samples made" : "3 samples made"));
  const std::string bytes = content(path);
  const auto again = generate(arguments);
  CHECK(again.code == 0);
  CHECK_THAT(again.out, Contains("0 samples made"));
  CHECK(content(path) == bytes);
  {
    const physics::SampleFile file(path);
    CHECK(file.count_complete() == file.samples());
    CHECK(file.frames() == (flow ? 100 : 50));
    for (const double x : file.read(0).values) REQUIRE(std::isfinite(x));
  }
  generate.fails(arguments + " --seed 1", "exists with seed 0, asked for 1");
}

TEST_CASE("a file whose making is killed again and again ends bit for bit where an unbroken one ends") {
  const Generate generate;
  const auto arguments = [&](const std::string& name) {
    return "advection --samples 300 --seed 3 --threads 2 -o " + (generate.folder / name);
  };
  REQUIRE(generate(arguments("unbroken.nc")).code == 0);
  const std::string log = generate.folder / "log", path = generate.folder / "killed.nc";
  int killed = 0;
  for (int attempt = 0; attempt < 8; ++attempt) {
    const pid_t child = fork();
    if (child == 0) {
      const auto command = "exec " + std::string(LACUNA_GENERATE) + " " + arguments("killed.nc") + " >>" + log + " 2>&1";
      execl("/bin/sh", "sh", "-c", command.c_str(), static_cast<char*>(nullptr));
      _exit(127);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20 + 13 * attempt));
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    killed += WIFSIGNALED(status) ? 1 : 0;
    INFO(content(log));
    if (std::filesystem::exists(path)) CHECK(physics::SampleFile(path).samples() == 300);  // a good file after every kill
  }
  CHECK(killed > 0);
  const auto last = generate(arguments("killed.nc"));
  INFO(last.error);
  REQUIRE(last.code == 0);
  CHECK(content(path) == content(generate.folder / "unbroken.nc"));
}

TEST_CASE("two programs cannot write one file") {
  const Generate generate;
  const physics::Advection set({.size = 16});
  const std::string path = generate.folder / "s.nc";
  const auto file = physics::SampleFile::open_or_create(path, set.description(), 4, 0);
  generate.fails("advection --size 16 --samples 4 -o " + path, "another program is writing it");
  CHECK(file.count_complete() == 0);
}

TEST_CASE("mistakes get one line and leave nothing behind") {
  const Generate generate;
  const std::string out = " -o " + (generate.folder / "s.nc");
  generate.fails("waves" + out, "waves");
  generate.fails("advection", "--output");
  generate.fails("advection -o /absent/folder/s.nc", "/absent/folder");
  generate.fails("advection --size 4" + out, "size 4");
  generate.fails("kolmogorov --size 32" + out, "64 kept cells");
  generate.fails("advection --samples -1" + out, "--samples");
  generate.fails("advection --unknown" + out, "--unknown");
  put_content(generate.folder / "text.nc", "this is no NetCDF file");
  generate.fails("advection -o " + (generate.folder / "text.nc"), "text.nc");
  CHECK_FALSE(std::filesystem::exists(generate.folder / "s.nc"));
  CHECK(generate.folder.entries() == 3);  // text.nc, stdout, stderr
}
