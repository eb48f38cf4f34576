#pragma once

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>
#include <utility>

#include "lacuna/core/error.hpp"
#include "lacuna/core/interruption.hpp"
#include "lacuna/data/atomic_file.hpp"
#include "lacuna/data/stale_files.hpp"

namespace lacuna::data {

/// @brief While it lives, no other process that asks for it may write `path`: a hidden file `.NAME.lock` beside it is locked
/// (flock), and removed at the end. A lock of a process that died is free, whatever lies in the folder.
///
/// Temporary files of AtomicFile that dead processes left for this path are removed. Where the file system has no locks, there
/// is none, and held() is false. Throws: DataError if another process has it.
class FileLock {
 public:
  explicit FileLock(const std::string& path) : name_(hidden_beside(followed(path), ".lock")) {
    while (fd_ < 0) {
      fd_ = ::open(name_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
      const int reason = errno;
      require<DataError>(fd_ >= 0, path, ": a lock beside it cannot be made: ", std::strerror(reason));
      if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
        const bool taken = errno == EWOULDBLOCK;
        ::close(std::exchange(fd_, -1));
        require<DataError>(!taken, path, ": another run is writing it");
        ::unlink(name_.c_str());
        return;
      }
      if (is_current()) continue;
      ::close(std::exchange(fd_, -1));  // its holder has just removed it
    }
    registered_ = TemporaryNames::add(name_);
    const std::filesystem::path target = followed(path);
    remove_stale(folder_of(target), "." + target.filename().string() + ".");
  }
  FileLock(FileLock&& other) noexcept
      : name_(std::move(other.name_)), registered_(std::exchange(other.registered_, -1)), fd_(std::exchange(other.fd_, -1)) {}
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  ~FileLock() {
    if (fd_ < 0) return;
    ::unlink(name_.c_str());
    TemporaryNames::forget(registered_);
    ::close(fd_);
  }

  bool held() const { return fd_ >= 0; }

 private:
  /// Whether the locked file is the one that the name leads to now.
  bool is_current() const {
    struct stat mine {
    }, named{};
    return ::fstat(fd_, &mine) == 0 && ::stat(name_.c_str(), &named) == 0 && mine.st_ino == named.st_ino &&
           mine.st_dev == named.st_dev;
  }

  std::string name_;
  int registered_ = -1, fd_ = -1;
};

}  // namespace lacuna::data
