#pragma once

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <system_error>
#include <vector>

#include "lacuna/core/error.hpp"
#include "lacuna/core/interruption.hpp"
#include "lacuna/data/stale_files.hpp"

namespace lacuna::data {

/// @brief What a path names once symbolic links are followed, also those to files that do not exist yet.
/// Throws: DataError if the links lead in a circle.
inline std::filesystem::path followed(const std::filesystem::path& path) {
  namespace fs = std::filesystem;
  fs::path at = path;
  std::error_code failed;
  for (int links = 0; fs::is_symlink(at, failed); ++links) {
    require<DataError>(links < 40, path.string(), ": its symbolic links lead in a circle");
    const fs::path to = fs::read_symlink(at, failed);
    at = to.is_absolute() ? to : at.parent_path() / to;
  }
  return at;
}

inline std::filesystem::path folder_of(const std::filesystem::path& path) {
  return path.parent_path().empty() ? std::filesystem::path(".") : path.parent_path();
}

/// @brief The name of a hidden file beside `path` that ends in `suffix`. A name that would be too long is cut, with a number in
/// place of what is cut.
inline std::string hidden_beside(const std::filesystem::path& path, const std::string& suffix) {
  std::string name = path.filename().string();
  if (name.size() + suffix.size() + 1 > NAME_MAX) {
    const std::string number = text(".", std::hash<std::string>{}(name));
    name = name.substr(0, NAME_MAX - 1 - suffix.size() - number.size()) + number;
  }
  return (folder_of(path) / ("." + name + suffix)).string();
}

/// @brief Throws DataError unless `path` may be written: its folder is there and writable, its name is not too long, it is no
/// folder or device, it is none of `inputs` (by identity, whatever the spelling), and it is not there yet unless `overwrite`.
/// To be called before hours of work, and again by the writers.
inline void require_writable_output(const std::string& path, const std::vector<std::string>& inputs = {}, bool overwrite = true) {
  namespace fs = std::filesystem;
  require<DataError>(!path.empty(), "output: the file name is empty");
  const fs::path target = followed(path), folder = folder_of(target);
  std::error_code failed;
  require<DataError>(fs::is_directory(folder, failed), path, ": the folder ", folder.string(), " does not exist");
  const bool exists = fs::exists(target, failed);
  require<DataError>(exists || !failed, path, ": cannot be written: ", failed.message());
  require<DataError>(!target.filename().empty(), path, ": the output is a folder");
  if (exists) {
    for (const std::string& input : inputs) {
      require<DataError>(!fs::equivalent(target, input, failed), path, ": the output is the input ", input);
    }
    require<DataError>(!fs::is_directory(target, failed), path, ": the output is a folder");
    require<DataError>(fs::is_regular_file(target, failed), path, ": the output is not a regular file");
    require<DataError>(overwrite, path, ": exists already and overwriting was not asked for");
    const int reason = ::access(target.c_str(), W_OK) == 0 ? 0 : errno;
    require<DataError>(reason == 0, path, ": cannot be written: ", std::strerror(reason));
  }
  const int reason = ::access(folder.c_str(), W_OK | X_OK) == 0 ? 0 : errno;
  require<DataError>(reason == 0, path, ": the folder cannot be written: ", std::strerror(reason));
}

/// @brief Whether a file may take the place of another.
enum class Existing { replaced, kept };

/// @brief Reserves a temporary name beside `path`; commit() makes it durable and renames it to `path`, so that `path` holds
/// either the old content or all of the new. Without commit(), and when a signal ends the program (Interruption), the temporary
/// file is removed and `path` is as it was.
///
/// Existing::kept: where another program has made `path` meanwhile, that stays, and commit() throws an error that names the file
/// that the new content is kept in instead. A symbolic link is followed: its target is made or replaced, with the permissions
/// that it had. Throws DataError with the system's reason.
class AtomicFile {
 public:
  explicit AtomicFile(const std::string& path, Existing existing = Existing::replaced) : path_(path), existing_(existing) {
    require_writable_output(path);
    target_ = followed(path).string();
    folder_ = folder_of(target_).string();
    for (int attempt = 0; attempt < 100; ++attempt) {
      temporary_ = hidden_beside(target_, temporary_suffix(attempt));
      registered_ = TemporaryNames::add(temporary_);
      const int fd = ::open(temporary_.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666);
      const int reason = errno;
      if (fd >= 0) {
        if (struct stat old{}; ::stat(target_.c_str(), &old) == 0) static_cast<void>(::fchmod(fd, old.st_mode & 07777));
        ::close(fd);
        return;
      }
      TemporaryNames::forget(registered_);
      errno = reason;
      if (errno != EEXIST) fail("a temporary file beside it cannot be created");
    }
    fail("a temporary file beside it cannot be created");
  }
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile() {
    if (!committed_) ::unlink(temporary_.c_str());
    TemporaryNames::forget(registered_);
  }

  /// Where to write; the file exists and is empty.
  const std::string& temporary() const { return temporary_; }
  const std::string& path() const { return path_; }

  void commit() {
    sync(temporary_, O_RDONLY);
    if (existing_ == Existing::replaced) {
      if (std::rename(temporary_.c_str(), target_.c_str()) != 0) fail("the finished file cannot be renamed");
    } else if (!rename_to_new(target_)) {
      if (errno != EEXIST) fail("the finished file cannot be renamed");
      keep_beside();
    }
    committed_ = true;
    sync(folder_, O_RDONLY | O_DIRECTORY);
  }

 private:
  [[noreturn]] void fail(const char* what) const { throw DataError(text(path_, ": ", what, ": ", std::strerror(errno))); }

  /// Renames the temporary file unless there is a file of that name: then false, and errno is EEXIST.
  bool rename_to_new(const std::string& name) const {
#ifdef RENAME_NOREPLACE
    if (::renameat2(AT_FDCWD, temporary_.c_str(), AT_FDCWD, name.c_str(), RENAME_NOREPLACE) == 0) return true;
    if (errno != EINVAL && errno != ENOSYS) return false;
#endif
    if (::link(temporary_.c_str(), name.c_str()) == 0) {
      ::unlink(temporary_.c_str());
      return true;
    }
    if (errno == EEXIST || (errno != EPERM && errno != ENOTSUP && errno != EOPNOTSUPP)) return false;
    if (::access(name.c_str(), F_OK) == 0) {  // a file system that knows neither: not safe against others, but all there is
      errno = EEXIST;
      return false;
    }
    return std::rename(temporary_.c_str(), name.c_str()) == 0;
  }

  /// Another program's file is in the way: keeps this one under the first free name beside it, and says so.
  [[noreturn]] void keep_beside() {
    for (int number = 1; number < 1000; ++number) {
      const std::string name = text(target_, ".", number);
      if (!rename_to_new(name)) continue;
      committed_ = true;
      throw DataError(text(path_, ": another program has made this file meanwhile; what was to be written is kept in ", name));
    }
    fail("another program has made this file meanwhile, and the new content can be kept nowhere");
  }

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
  Existing existing_;
  int registered_ = -1;
  bool committed_ = false;
};

/// @brief Makes the pieces, one after another, the content of the temporary file; commit() is left to the caller.
/// Throws: DataError with the system's reason.
inline void write_temporary(const AtomicFile& file, const std::vector<std::span<const std::byte>>& pieces) {
  const int fd = ::open(file.temporary().c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC);
  bool good = fd >= 0;
  int reason = errno;
  for (std::span<const std::byte> rest : pieces) {
    while (good && !rest.empty()) {
      const ssize_t written = ::write(fd, rest.data(), rest.size());
      if (written < 0 && errno == EINTR) continue;
      good = written > 0;
      reason = written == 0 ? ENOSPC : errno;
      if (good) rest = rest.subspan(static_cast<std::size_t>(written));
    }
  }
  if (fd >= 0 && ::close(fd) != 0 && good) {
    good = false;
    reason = errno;
  }
  require<DataError>(good, file.path(), ": cannot be written: ", std::strerror(reason));
}

/// @brief Writes the pieces one after another to `path` through AtomicFile.
/// Throws: DataError with the system's reason (disk full, read-only folder); an existing file is then untouched.
inline void write_atomically(const std::string& path, const std::vector<std::span<const std::byte>>& pieces,
                             Existing existing = Existing::replaced) {
  AtomicFile file(path, existing);
  write_temporary(file, pieces);
  file.commit();
}

}  // namespace lacuna::data
