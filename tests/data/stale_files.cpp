#include "lacuna/data/stale_files.hpp"

#include <sys/wait.h>

#include "scratch.hpp"

using namespace lacuna;
using namespace lacuna::data;

namespace {

std::string dead_process() {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  ::waitpid(child, nullptr, 0);
  return std::to_string(child);
}

}  // namespace

TEST_CASE("Files of dead processes of this machine are stale, and no others") {
  const std::string dead = dead_process(), host = host_name();
  CHECK(is_stale(".out.nc." + host + "." + dead + ".0.tmp"));
  CHECK(is_stale(".a." + host + "." + dead + ".12.tmp"));
  CHECK_FALSE(is_stale(".out.nc" + temporary_suffix(0)));  // this process
  CHECK_FALSE(is_stale(".out.nc.elsewhere." + dead + ".0.tmp"));
  for (const std::string& name :
       {"out.nc." + host + "." + dead + ".0.tmp", ".out.nc." + host + "." + dead + ".tmp", ".out.nc." + host + ".x.0.tmp",
        ".out.nc." + host + "." + dead + ".0.tmpx", std::string(".tmp"), std::string("."), ".out.nc." + host + ".0.0.tmp"})
    CHECK_FALSE(is_stale(name));
}

TEST_CASE("They are removed from a folder by their beginning, and from all below one") {
  const Scratch scratch;
  const std::string end = "." + host_name() + "." + dead_process() + ".0.tmp";
  std::filesystem::create_directories(scratch / "deep/er");
  for (const char* name : {"./.a.nc", "./.b.nc", "deep/.a.nc", "deep/er/.c"}) put_content(scratch / (name + end), "half");
  put_content(scratch / "deep/er/kept", "whole");
  remove_stale(scratch / ".", ".a.nc.");
  CHECK(scratch.entries() == 2);
  remove_stale_below(scratch / ".");
  CHECK(scratch.entries() == 1);
  CHECK_FALSE(std::filesystem::exists(scratch / ("deep/.a.nc" + end)));
  CHECK_FALSE(std::filesystem::exists(scratch / ("deep/er/.c" + end)));
  CHECK(std::filesystem::exists(scratch / "deep/er/kept"));
  CHECK_NOTHROW(remove_stale_below(scratch / "absent"));
}
