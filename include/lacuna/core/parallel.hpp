#pragma once

#include <algorithm>
#include <cstddef>
#include <exception>
#include <mutex>

#ifdef _OPENMP
#include <omp.h>
#else
#include <thread>
#include <vector>
#endif

#include "lacuna/core/configuration.hpp"

namespace lacuna {
inline namespace LACUNA_CONFIGURATION {

/// @brief The threads that there are when so many are asked for: OpenMP may have a limit (OMP_THREAD_LIMIT), or be inside of as
/// many parallel regions as may be active (OMP_MAX_ACTIVE_LEVELS).
inline int granted_threads(int asked) {
#ifdef _OPENMP
  if (omp_get_active_level() >= omp_get_max_active_levels()) return 1;
  return std::clamp(asked, 1, std::max(1, omp_get_thread_limit()));
#else
  return std::max(1, asked);
#endif
}

/// @brief Processors that this process may run on.
inline int processors() {
#ifdef _OPENMP
  return std::max(1, omp_get_num_procs());
#else
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
#endif
}

/// @brief Threads the machine offers.
inline int hardware_threads() {
#ifdef _OPENMP
  return granted_threads(omp_get_max_threads());
#else
  return granted_threads(static_cast<int>(std::thread::hardware_concurrency()));
#endif
}

/// @brief While it lives, libraries that ask OpenMP how many threads to use (oneDNN, Eigen) get this answer on this thread, and
/// so many threads when they start them: oneDNN waits for all that it was promised, so OpenMP must not give fewer by the
/// machine's load (OMP_DYNAMIC).
class LibraryThreads {
 public:
#ifdef _OPENMP
  explicit LibraryThreads(int threads) : before_(omp_get_max_threads()), dynamic_(omp_get_dynamic()) {
    omp_set_dynamic(0);
    omp_set_num_threads(granted_threads(threads));
  }
  ~LibraryThreads() {
    omp_set_num_threads(before_);
    omp_set_dynamic(dynamic_);
  }
#else
  explicit LibraryThreads(int) {}
#endif
  LibraryThreads(const LibraryThreads&) = delete;
  LibraryThreads& operator=(const LibraryThreads&) = delete;

#ifdef _OPENMP
 private:
  int before_, dynamic_;
#endif
};

/// @brief Calls work(part) for part = 0 .. parts - 1, each once, on up to `threads` threads.
///
/// Parts are dealt round-robin by thread number, so what a thread does depends on `threads` alone; results that are written
/// per part do not depend on it at all. The first exception is rethrown once every thread is done.
/// OpenMP where the compiler is told to use it, std::thread otherwise.
template <class Work>
void parallel_for(int threads, int parts, const Work& work) {
  threads = std::min(threads, parts);
  if (threads <= 1) {
    for (int part = 0; part < parts; ++part) work(part);
    return;
  }
  std::exception_ptr failure;
  std::mutex guard;
  const auto run = [&](int thread) {
    try {
      for (int part = thread; part < parts; part += threads) work(part);
    } catch (...) {
      const std::scoped_lock lock(guard);
      if (!failure) failure = std::current_exception();
    }
  };
#ifdef _OPENMP
#pragma omp parallel num_threads(threads)
  {
    // A nested region may get fewer threads than asked for: the shares of the absent are taken over.
    const int present = omp_get_num_threads();
    for (int thread = omp_get_thread_num(); thread < threads; thread += present) run(thread);
  }
#else
  std::vector<std::thread> workers;
  for (int thread = 1; thread < threads; ++thread) workers.emplace_back(run, thread);
  run(0);
  for (auto& worker : workers) worker.join();
#endif
  if (failure) std::rethrow_exception(failure);
}

/// @brief Threads for a program that is asked for so many (0: all): no more than there are processors, since threads that take
/// turns wait for each other.
inline int usable_threads(int asked) { return granted_threads(std::min(asked > 0 ? asked : hardware_threads(), processors())); }

}  // namespace LACUNA_CONFIGURATION

/// @brief Half-open range of part `part` when `count` items are cut into `parts` nearly equal runs.
struct Range {
  std::size_t begin, end;
};
inline Range share(std::size_t count, int parts, int part) {
  const auto n = static_cast<std::size_t>(parts), i = static_cast<std::size_t>(part);
  return {count * i / n, count * (i + 1) / n};
}

}  // namespace lacuna
