#pragma once

#include <netcdf.h>
#include <netcdf_mem.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <span>
#include <string>

#include "lacuna/core/error.hpp"
#include "lacuna/data/atomic_file.hpp"
#include "lacuna/data/netcdf_handle.hpp"

namespace lacuna::data::netcdf {

/// @brief A NetCDF file being written, in define mode at first, which appears at `path` on commit(), whole or not at all.
/// NetCDF-4 is built in memory: the HDF5 library crashes at the program's exit after a disk ran full under it. The classic
/// formats go to the temporary file.
class Output {
 public:
  /// `mode` as of nc_create: NC_NETCDF4, NC_64BIT_OFFSET, ...
  Output(const std::string& path, int mode, Existing existing = Existing::replaced)
      : in_memory_((mode & NC_NETCDF4) != 0),
        disk_(path, existing),
        file_(in_memory_ ? in_memory(mode) : File::create(disk_.temporary(), mode, path)) {}

  const File& file() const { return file_; }

  void commit() {
    if (in_memory_) {
      NC_memio image{};
      file_.close(image);
      const std::unique_ptr<void, decltype(&std::free)> owner(image.memory, &std::free);
      write_temporary(disk_, {std::span(static_cast<const std::byte*>(image.memory), image.size)});
    } else {
      file_.close();
    }
    disk_.commit();
  }

 private:
  /// Begins with the image of an empty file. nc_create_mem would need none, but it leaves out the order of creation, and the
  /// library opens files without it for reading only.
  File in_memory(int mode) const {
    // An empty file has 239 bytes. HDF5 must not meet a full disk even for them, so make sure first that there is room.
    const std::array<std::byte, 4096> room{};
    write_temporary(disk_, {room});
    File::create(disk_.temporary(), mode, disk_.path()).close();
    NC_memio image{};
    image.size = std::filesystem::file_size(disk_.temporary());
    image.memory = std::malloc(image.size);
    require<DataError>(image.memory != nullptr, disk_.path(), ": no memory for the file");
    std::ifstream in(disk_.temporary(), std::ios::binary);
    in.read(static_cast<char*>(image.memory), static_cast<std::streamsize>(image.size));
    require<DataError>(in.good(), disk_.path(), ": the temporary file beside it cannot be read back");
    File file = File::open_in_memory(image, disk_.path());
    file.check(nc_redef(file.id()), "beginning the header");
    return file;
  }

  bool in_memory_;
  AtomicFile disk_;  // outlives file_, which must be closed before the temporary file is removed
  File file_;
};

}  // namespace lacuna::data::netcdf
