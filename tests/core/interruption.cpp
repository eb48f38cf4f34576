#include "lacuna/core/interruption.hpp"

#include <sys/wait.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <vector>

#include "../data/scratch.hpp"
#include "catch.hpp"

using namespace lacuna;

namespace {

struct End {
  int code;
  std::string error;
};

/// Runs f in a process of its own, with its standard error in a file.
End in_child(const std::string& error, const std::function<void()>& f, bool fresh = true) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (std::freopen(error.c_str(), "w", stderr) == nullptr) ::_exit(99);
    if (fresh)
      for (const int signal : {SIGINT, SIGTERM, SIGHUP}) std::signal(signal, SIG_DFL);  // a job in the background ignores some
    Interruption::install("tool");
    f();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, content(error)};
}

}  // namespace

TEST_CASE("A signal ends the program at once, with a line and without its temporary files") {
  const Scratch scratch;
  const int signal = GENERATE(SIGINT, SIGTERM, SIGHUP);
  put_content(scratch / "registered", "half");
  put_content(scratch / "forgotten", "done");
  const End end = in_child(scratch / "error", [&] {
    TemporaryNames::add(scratch / "registered");
    TemporaryNames::forget(TemporaryNames::add(scratch / "forgotten"));
    Interruption::advise("first");
    Interruption::advise("go on with --resume");
    ::raise(signal);
  });
  CHECK(end.code == 128 + signal);
  CHECK(end.error == "tool: stopped by " + signal_name(signal) + "; go on with --resume\n");
  CHECK_FALSE(std::filesystem::exists(scratch / "registered"));
  CHECK(std::filesystem::exists(scratch / "forgotten"));
}

TEST_CASE("While it is deferred a signal waits: for whoever asks, else for the end") {
  const Scratch scratch;
  SECTION("taken") {
    const End end = in_child(scratch / "error", [&] {
      Interruption::Deferred deferred;
      ::raise(SIGTERM);
      put_content(scratch / "saved", "yes");
      if (Interruption::pending() == SIGTERM && deferred.take() == SIGTERM) ::_exit(7);
    });
    CHECK(end.code == 7);
  }
  SECTION("not taken") {
    const End end = in_child(scratch / "error", [&] {
      {
        const Interruption::Deferred outer;
        {
          const Interruption::Deferred inner;
          ::raise(SIGTERM);
        }
        put_content(scratch / "saved", "yes");
      }
      put_content(scratch / "too late", "yes");
    });
    CHECK(end.code == 128 + SIGTERM);
  }
  SECTION("asked again, at once: still waits") {
    const End end = in_child(scratch / "error", [&] {
      Interruption::Deferred deferred;
      ::raise(SIGTERM);
      ::raise(SIGTERM);
      put_content(scratch / "saved", "yes");
      deferred.take();
    });
    CHECK(end.code == 0);
  }
  SECTION("asked again, later: does not wait any more") {
    const End end = in_child(scratch / "error", [&] {
      const Interruption::Deferred deferred;
      ::raise(SIGTERM);
      put_content(scratch / "saved", "yes");
      ::sleep(3);
      ::raise(SIGINT);
      put_content(scratch / "too late", "yes");
    });
    CHECK(end.code == 128 + SIGINT);
  }
  CHECK(std::filesystem::exists(scratch / "saved"));
  CHECK_FALSE(std::filesystem::exists(scratch / "too late"));
}

TEST_CASE("A signal that was ignored at the start stays ignored") {
  const Scratch scratch;
  std::signal(SIGHUP, SIG_IGN);
  const End end = in_child(
      scratch / "error", [] { ::raise(SIGHUP); }, false);
  std::signal(SIGHUP, SIG_DFL);
  CHECK(end.code == 0);
}

TEST_CASE("More temporary files than there is room for are not registered") {
  std::vector<int> places;
  for (std::size_t i = 0; i < TemporaryNames::most; ++i) places.push_back(TemporaryNames::add("/nowhere/at/all"));
  CHECK(std::count(places.begin(), places.end(), -1) == 0);
  CHECK(TemporaryNames::add("/nowhere/at/all") == -1);
  for (const int place : places) TemporaryNames::forget(place);
  CHECK(TemporaryNames::add(std::string(PATH_MAX, 'x')) == -1);
  const int again = TemporaryNames::add("/nowhere/at/all");
  CHECK(again >= 0);
  TemporaryNames::forget(again);
}
