#pragma once

#include <limits.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>

#include "lacuna/core/error.hpp"

namespace lacuna {

/// @brief A signal asked the program to stop, and what it was about is saved.
class Interrupted : public Error {
 public:
  Interrupted(int signal, const std::string& what) : Error(what), signal_(signal) {}
  int signal() const { return signal_; }

 private:
  int signal_;
};

/// @brief "SIGTERM" for 15; signals without a name here by their number.
inline std::string signal_name(int signal) {
  switch (signal) {
    case SIGHUP: return "SIGHUP";
    case SIGINT: return "SIGINT";
    case SIGTERM: return "SIGTERM";
    default: return text("signal ", signal);
  }
}

/// @brief Names of temporary files: those that are still registered when a signal ends the program are removed.
///
/// The storage is fixed, because a signal handler may not allocate: a name that is too long, or one too many, is not registered
/// and stays behind after a signal. Thread-safe.
class TemporaryNames {
 public:
  static constexpr std::size_t most = 32;

  /// Returns where it is kept, or -1.
  static int add(const std::string& name) {
    if (name.size() >= sizeof(Slot::name)) return -1;
    for (std::size_t i = 0; i < most; ++i) {
      int free = unused;
      if (!slots()[i].state.compare_exchange_strong(free, being_changed)) continue;
      std::memcpy(slots()[i].name, name.c_str(), name.size() + 1);
      slots()[i].state = used;
      return static_cast<int>(i);
    }
    return -1;
  }
  /// Forgets what add() returned.
  static void forget(int at) {
    if (at >= 0) slots()[static_cast<std::size_t>(at)].state = unused;
  }
  /// Async-signal-safe.
  static void remove_all() {
    for (Slot& slot : slots())
      if (slot.state == used) ::unlink(slot.name);
  }

 private:
  static constexpr int unused = 0, being_changed = 1, used = 2;
  struct Slot {
    std::atomic<int> state = unused;
    char name[PATH_MAX] = {};
  };
  static std::array<Slot, most>& slots() {
    static constinit std::array<Slot, most> all{};
    return all;
  }
};

/// @brief What a program does when SIGINT, SIGTERM or SIGHUP asks it to stop.
///
/// It removes its temporary files, writes one line to standard error and exits with 128 + the signal's number, at once; while a
/// Deferred lives, it takes note of the signal and goes on, so that a step can end and be saved: look at pending() then. Another
/// signal, two seconds later or more, ends the program at once. (Batch systems may send the first one twice.)
/// Nothing of this happens unless the program calls install(). A signal that was ignored when the program started (nohup) stays
/// ignored.
class Interruption {
 public:
  static void install(const char* program) {
    std::snprintf(state().program, sizeof state().program, "%s", program);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
      struct sigaction before {};
      if (::sigaction(signal, nullptr, &before) != 0 || before.sa_handler == SIG_IGN) continue;
      struct sigaction action {};
      action.sa_handler = &handle;
      action.sa_flags = SA_RESTART;
      sigemptyset(&action.sa_mask);
      ::sigaction(signal, &action, nullptr);
    }
  }

  /// How a run goes on that is stopped from now on: the end of the line that is written then.
  static void advise(const std::string& words) {
    char* const to = state().advice[1 - state().current.load()];
    std::snprintf(to, sizeof state().advice[0], "%s", words.c_str());
    state().current = 1 - state().current.load();
  }

  /// The signal that came while a Deferred lived, 0 if none did.
  static int pending() { return state().pending; }

  class Deferred {
   public:
    Deferred() { ++state().deferred; }
    /// A signal that came meanwhile, and that nobody has looked at, takes effect.
    ~Deferred() {
      if (--state().deferred == 0 && state().pending != 0) finish(state().pending);
    }
    Deferred(const Deferred&) = delete;
    Deferred& operator=(const Deferred&) = delete;

    /// Takes the pending signal: the caller ends the program in its own way.
    int take() { return state().pending.exchange(0); }
  };

  /// What the signal handler and the program tell each other.
  struct State {
    std::atomic<int> pending = 0, deferred = 0, current = 0;
    std::atomic<std::int64_t> asked_at = 0;  ///< second of the first signal, 0: none came
    char program[64] = "lacuna";
    char advice[2][512] = {};
  };
  static State& state() { return *place().load(); }
  /// A library that is opened at run time may have a state of its own, which no handler looks at: gives it the program's.
  static void share(State& program) { place() = &program; }

 private:
  static std::atomic<State*>& place() {
    static constinit State own{};
    static constinit std::atomic<State*> one{&own};
    return one;
  }

  static void handle(int signal) {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    constexpr std::int64_t impatient = 2;  // seconds
    std::int64_t first = 0;
    const bool again = !state().asked_at.compare_exchange_strong(first, now.tv_sec + 1) && now.tv_sec + 1 - first >= impatient;
    state().pending = signal;
    if (state().deferred == 0 || again) finish(signal);
  }

  /// Async-signal-safe.
  [[noreturn]] static void finish(int signal) {
    TemporaryNames::remove_all();
    const char* const name = signal == SIGHUP ? "SIGHUP" : signal == SIGINT ? "SIGINT" : "SIGTERM";
    const char* const advice = state().advice[state().current];
    for (const char* part :
         {static_cast<const char*>(state().program), ": stopped by ", name, *advice == 0 ? "" : "; ", advice, "\n"})
      if (::write(STDERR_FILENO, part, std::strlen(part)) < 0) break;
    ::_exit(128 + signal);
  }
};

}  // namespace lacuna
