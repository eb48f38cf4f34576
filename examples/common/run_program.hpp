#pragma once

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <limits>
#include <new>
#include <string>

#include "lacuna/core/interruption.hpp"
#include "lacuna/core/memory_limit.hpp"
#include "lacuna/core/version.hpp"

// What the command-line programs do alike: one line for every error, exit codes, signals, streams that are closed or full.

/// @brief Standard input, output and error are open from now on: else the first file that is opened would take the place of one
/// that the shell has closed, and messages would be written into it.
inline void open_standard_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(stream, F_GETFD) < 0 && ::open("/dev/null", stream == STDIN_FILENO ? O_RDONLY : O_WRONLY) != stream) ::_exit(1);
}

/// @brief A library that gets no memory may touch what is not there. Where the address space is limited and used up, that is
/// said in a line; else the signal does what it does.
inline void explain_crashes_for_lack_of_memory() {
  if (lacuna::address_space_limit() == std::numeric_limits<std::size_t>::max()) return;
  struct sigaction action {};
  action.sa_handler = [](int signal) {
    const std::size_t little = lacuna::address_space_limit() / 4;
    void* const memory = ::mmap(nullptr, little, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory != MAP_FAILED) {
      ::signal(signal, SIG_DFL);
      ::raise(signal);
      return;
    }
    lacuna::TemporaryNames::remove_all();
    constexpr char line[] =
        "lacuna: out of memory: a library got none, as the address space is limited (ulimit -v); raise the limit\n";
    if (::write(STDERR_FILENO, line, sizeof line - 1) < 0) ::_exit(1);
    ::_exit(1);
  };
  for (const int signal : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE}) ::sigaction(signal, &action, nullptr);
}

/// @brief Whether all that was printed went out, or only a reader that has closed its end (`| head -1`) did not get it: that one
/// did not want more.
inline bool printed() {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return true;
  pollfd out{.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0};
  return ::poll(&out, 1, 0) == 1 && (out.revents & POLLERR) != 0;
}

/// @brief The exit code of an error, once its line is on standard error. Allocates nothing.
inline int failed(const char* program, const char* what, const char* hint = "") {
  std::fflush(stdout);
  std::fprintf(stderr, "%s: %s%s\n", program, what, hint);
  return 1;
}

/// @brief Runs a program: declare(app) tells its options, body(app) does its work once they are parsed, or throws.
/// Returns the exit code: 0, 1 with one line on standard error, or 128 + the signal that stopped the program.
template <class Declare, class Body>
int run_program(const char* name, const char* description, int argc, char** argv, const Declare& declare, const Body& body) {
  open_standard_streams();
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  ::signal(SIGPIPE, SIG_IGN);  // writing tells it too, and need not end the program
  ::signal(SIGXFSZ, SIG_IGN);
  lacuna::Interruption::install(name);
  std::atexit(&lacuna::TemporaryNames::remove_all);  // OpenMP ends the program where it gets no thread
  explain_crashes_for_lack_of_memory();
  try {
    CLI::App app{description};
    app.set_version_flag("--version", lacuna::version);
    declare(app);
    for (CLI::Option* option : app.get_options([](const CLI::Option* o) { return o->get_items_expected_max() > 0; }))
      option->check([](const std::string& word) { return std::string(word.empty() ? "expected a value, it is empty" : ""); }, "");
    try {
      app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
      if (error.get_exit_code() != 0) return failed(name, error.what(), " (see --help)");
      app.exit(error);  // --help and --version
      return printed() ? 0 : 1;
    }
    body(app);
  } catch (const lacuna::Interrupted& interrupted) {
    failed(name, interrupted.what());
    return 128 + interrupted.signal();
  } catch (const std::bad_alloc&) {
    return failed(name, "out of memory");
  } catch (const std::exception& error) {
    return failed(name, error.what());
  }
  return printed() ? 0 : failed(name, "not all that was printed could be written to standard output (is the disk full?)");
}
