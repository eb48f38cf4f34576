#pragma once

#include <netcdf.h>
#include <netcdf_mem.h>

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "lacuna/core/error.hpp"
#include "lacuna/data/atomic_file.hpp"
#include "lacuna/data/netcdf_handle.hpp"

namespace lacuna::data::netcdf {

/// @brief A NetCDF file being written, which appears at `path` on commit(), whole or not at all.
/// NetCDF-4 is built in memory: the HDF5 library crashes at the program's exit after a disk ran full under it. The classic
/// formats go to a temporary file.
class Output {
 public:
  /// `mode` as of nc_create: NC_NETCDF4, NC_64BIT_OFFSET, ...
  Output(const std::string& path, int mode)
      : path_(path),
        in_memory_((mode & NC_NETCDF4) != 0),
        file_(in_memory_ ? File::create_in_memory(mode, path) : on_disk(mode)) {}

  File& file() { return file_; }

  void commit() {
    if (!in_memory_) {
      file_.close();
      disk_->commit();
      return;
    }
    NC_memio image{};
    file_.close(image);
    const std::unique_ptr<void, decltype(&std::free)> owner(image.memory, &std::free);
    write_atomically(path_, {std::span(static_cast<const std::byte*>(image.memory), image.size)});
  }

 private:
  File on_disk(int mode) {
    disk_.emplace(path_);
    return File::create(disk_->temporary(), mode, path_);
  }

  std::string path_;
  bool in_memory_;
  std::optional<AtomicFile> disk_;  // outlives file_, which must be closed before it is removed
  File file_;
};

}  // namespace lacuna::data::netcdf
