#include "lacuna/data/file_lock.hpp"

#include <sys/wait.h>

#include <optional>

#include "scratch.hpp"

using namespace lacuna;
using namespace lacuna::data;

TEST_CASE("A file has one lock, which is gone with its holder and leaves nothing behind") {
  const Scratch scratch;
  const std::string path = scratch / "out.nc";
  const auto failure = [&] { return error_of([&] { const FileLock second(path); }); };
  {
    const FileLock first(path);
    CHECK(first.held());
    CHECK(failure() == path + ": another run is writing it");
    CHECK(failure() == path + ": another run is writing it");  // the failed attempt took nothing away
  }
  CHECK(failure().empty());
  CHECK(scratch.entries() == 0);
}

TEST_CASE("The lock of a process that was killed is free") {
  const Scratch scratch;
  const pid_t child = ::fork();
  if (child == 0) {
    std::optional<FileLock> held(std::in_place, scratch / "out.nc");
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  REQUIRE(WIFSIGNALED(status));
  CHECK(scratch.entries() == 1);
  CHECK(error_of([&] { const FileLock next(scratch / "out.nc"); }).empty());
  CHECK(scratch.entries() == 0);
}

TEST_CASE("A path's temporary files of dead processes are removed, and no others") {
  const Scratch scratch;
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  ::waitpid(child, nullptr, 0);
  const std::string end = "." + host_name() + "." + std::to_string(child) + ".0.tmp";
  for (const std::string& name : {".out.nc" + end, ".other.nc" + end, ".out.nc" + temporary_suffix(0)})
    put_content(scratch / name, "half");
  const FileLock lock(scratch / "out.nc");
  CHECK_FALSE(std::filesystem::exists(scratch / (".out.nc" + end)));
  CHECK(scratch.entries() == 2 + 1);
}
