#pragma once

#include <sys/stat.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>

#include "lacuna/core/error.hpp"

namespace lacuna::data {

/// @brief What changes when a file is replaced, or something is written into it.
struct FileIdentity {
  std::uint64_t device = 0, inode = 0, size = 0;
  std::int64_t seconds = 0, nanoseconds = 0;  ///< of the last change of its content

  bool operator==(const FileIdentity&) const = default;
};

/// @brief Throws: DataError if there is no such file any more.
inline FileIdentity file_identity(const std::string& path) {
  struct stat found {};
  const int reason = ::stat(path.c_str(), &found) == 0 ? 0 : errno;
  require<DataError>(reason == 0, path, ": cannot be found: ", std::strerror(reason));
  return {static_cast<std::uint64_t>(found.st_dev), static_cast<std::uint64_t>(found.st_ino),
          static_cast<std::uint64_t>(found.st_size), static_cast<std::int64_t>(found.st_mtim.tv_sec),
          static_cast<std::int64_t>(found.st_mtim.tv_nsec)};
}

}  // namespace lacuna::data
