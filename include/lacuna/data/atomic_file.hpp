#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "lacuna/core/error.hpp"

namespace lacuna::data {

/// @brief Throws DataError unless `path` may be written: its folder is there and writable, it is no folder or device, it is
/// none of `inputs` (by identity, whatever the spelling), and it is not there yet unless `overwrite`.
/// To be called before hours of work, and again by the writers.
inline void require_writable_output(const std::string& path, const std::vector<std::string>& inputs = {}, bool overwrite = true) {
  namespace fs = std::filesystem;
  require<DataError>(!path.empty(), "output: the file name is empty");
  const fs::path parent = fs::path(path).parent_path();
  const fs::path folder = parent.empty() ? fs::path(".") : parent;
  std::error_code ignored;
  require<DataError>(fs::is_directory(folder, ignored), path, ": the folder ", folder.string(), " does not exist");
  const bool exists = fs::exists(path, ignored);
  if (exists) {
    for (const std::string& input : inputs) {
      require<DataError>(!fs::equivalent(path, input, ignored), path, ": the output is the input ", input);
    }
    require<DataError>(!fs::is_directory(path, ignored), path, ": the output is a folder");
    require<DataError>(fs::is_regular_file(path, ignored), path, ": the output is not a regular file");
    require<DataError>(overwrite, path, ": exists already and overwriting was not asked for");
    const int reason = ::access(path.c_str(), W_OK) == 0 ? 0 : errno;
    require<DataError>(reason == 0, path, ": cannot be written: ", std::strerror(reason));
  }
  const int reason = ::access(folder.c_str(), W_OK | X_OK) == 0 ? 0 : errno;
  require<DataError>(reason == 0, path, ": the folder cannot be written: ", std::strerror(reason));
}

/// @brief Reserves a temporary name beside `path`; commit() makes it durable and renames it to `path`, so that `path` holds
/// either the old content or all of the new. Without commit() the temporary file is removed and `path` is as it was.
/// A symbolic link is followed: its target is replaced. Throws DataError with the system's reason.
class AtomicFile {
 public:
  explicit AtomicFile(const std::string& path) : path_(path) {
    namespace fs = std::filesystem;
    require_writable_output(path);
    const fs::path target = fs::exists(path) ? fs::canonical(path) : fs::path(path);
    target_ = target.string();
    const fs::path folder = target.parent_path();
    folder_ = folder.empty() ? "." : folder.string();
    for (int attempt = 0; attempt < 100; ++attempt) {
      temporary_ = text(folder_, "/.", target.filename().string(), ".", ::getpid(), ".", attempt, ".tmp");
      const int fd = ::open(temporary_.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666);
      if (fd >= 0) {
        ::close(fd);
        return;
      }
      if (errno != EEXIST) fail("a temporary file beside it cannot be created");
    }
    fail("a temporary file beside it cannot be created");
  }
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile() {
    if (!committed_) ::unlink(temporary_.c_str());
  }

  /// Where to write; the file exists and is empty.
  const std::string& temporary() const { return temporary_; }
  const std::string& path() const { return path_; }

  void commit() {
    sync(temporary_, O_RDONLY);
    if (std::rename(temporary_.c_str(), target_.c_str()) != 0) fail("the finished file cannot be renamed");
    committed_ = true;
    sync(folder_, O_RDONLY | O_DIRECTORY);
  }

 private:
  [[noreturn]] void fail(const char* what) const { throw DataError(text(path_, ": ", what, ": ", std::strerror(errno))); }

  void sync(const std::string& name, int flags) const {
    const int fd = ::open(name.c_str(), flags | O_CLOEXEC);
    if (fd < 0) fail("cannot be opened for synchronising");
    const int status = ::fsync(fd);
    const int reason = errno;
    ::close(fd);
    errno = reason;
    // Some file systems cannot synchronise (EINVAL, EROFS for folders); a full disk reports ENOSPC, EDQUOT or EIO.
    if (status != 0 && reason != EINVAL && reason != EROFS && reason != ENOTSUP) fail("cannot be made durable");
  }

  std::string path_, target_, folder_, temporary_;
  bool committed_ = false;
};

/// @brief Makes the pieces, one after another, the content of the temporary file; commit() is left to the caller.
/// Throws: DataError with the system's reason.
inline void write_temporary(const AtomicFile& file, const std::vector<std::span<const std::byte>>& pieces) {
  const int fd = ::open(file.temporary().c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC);
  bool good = fd >= 0;
  for (std::span<const std::byte> rest : pieces) {
    while (good && !rest.empty()) {
      const ssize_t written = ::write(fd, rest.data(), rest.size());
      if (written < 0 && errno == EINTR) continue;
      good = written > 0;
      if (good) rest = rest.subspan(static_cast<std::size_t>(written));
    }
  }
  int reason = errno;
  if (fd >= 0 && ::close(fd) != 0 && good) {
    good = false;
    reason = errno;
  }
  require<DataError>(good, file.path(), ": cannot be written: ", std::strerror(reason));
}

/// @brief Writes the pieces one after another to `path` through AtomicFile.
/// Throws: DataError with the system's reason (disk full, read-only folder); an existing file is then untouched.
inline void write_atomically(const std::string& path, const std::vector<std::span<const std::byte>>& pieces) {
  AtomicFile file(path);
  write_temporary(file, pieces);
  file.commit();
}

}  // namespace lacuna::data
