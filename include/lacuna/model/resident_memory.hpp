#pragma once

#include <sys/resource.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <cstddef>
#include <cstdio>
#include <cstring>

namespace lacuna::model {

/// @brief Largest resident memory of this process so far, in bytes.
inline std::size_t peak_memory() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::size_t>(usage.ru_maxrss) * 1024;
}

/// @brief Resident memory of this process now, in bytes (0 where /proc is absent).
inline std::size_t resident_memory() {
  std::FILE* file = std::fopen("/proc/self/status", "r");
  if (file == nullptr) return 0;
  char line[256];
  std::size_t kilobytes = 0;
  while (std::fgets(line, sizeof line, file) != nullptr)
    if (std::strncmp(line, "VmRSS:", 6) == 0) std::sscanf(line + 6, "%zu", &kilobytes);
  std::fclose(file);
  return kilobytes * 1024;
}

/// @brief Hands memory that was freed back to the system, where the C library can, so that resident_memory() counts what is used.
inline void trim_memory() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

}  // namespace lacuna::model
