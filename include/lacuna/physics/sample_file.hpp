#pragma once

#include <fcntl.h>
#include <netcdf.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "lacuna/core/error.hpp"
#include "lacuna/core/version.hpp"
#include "lacuna/data/atomic_file.hpp"
#include "lacuna/data/netcdf_copy.hpp"
#include "lacuna/data/netcdf_handle.hpp"
#include "lacuna/physics/sample.hpp"

namespace lacuna::physics {

/// @brief A file of samples that is of another set, seed, settings or number than asked for.
class OtherSamples : public DataError {
 public:
  using DataError::DataError;
};

/// @brief A NetCDF-4 file of generated samples, written sample by sample in any order.
///
/// Dimensions: sample, time, y, x. Variables: those of the set (sample, time, y, x), its parameters (sample), the coordinates,
/// and `complete` (sample), 1 where the sample is there. Global attributes: set, seed and the settings. The file has its full
/// size from the beginning: its structure is on the disk before the first sample, and a sample only overwrites numbers. So a
/// program that is killed leaves a good file, in which a sample that was half written is not complete, and the disk cannot run
/// full on the way. One process at a time may have the file open for writing (HDF5 locks it). Not thread-safe, as the NetCDF
/// library. Throws: DataError, one line that names the file; OtherSamples.
class SampleFile {
 public:
  static constexpr std::size_t most_samples = 1'000'000'000;

  /// Opens for writing: a new file, or one of the same set, seed, settings and number of samples to go on with. Anything else
  /// that is there already is an error.
  static SampleFile open_or_create(const std::string& path, const Description& d, std::size_t samples, std::uint64_t seed) {
    require<OptionError>(samples >= 1 && samples <= most_samples, "a file of ", samples,
                         " samples cannot be made, expected 1 to ", most_samples);
    std::error_code ignored;
    data::remove_stale(data::folder_of(path), "." + std::filesystem::path(path).filename().string() + ".");
    if (!std::filesystem::exists(path, ignored)) create(path, d, samples, seed);
    SampleFile out(data::netcdf::File::open(path, NC_WRITE));
    out.require_same(d, samples, seed);
    return out;
  }
  /// Opens for reading a file of this set, seed, settings and number of samples.
  static SampleFile open(const std::string& path, const Description& d, std::size_t samples, std::uint64_t seed) {
    SampleFile out(path);
    out.require_same(d, samples, seed);
    return out;
  }
  /// Opens for reading, whatever set it is of.
  explicit SampleFile(const std::string& path) : SampleFile(data::netcdf::File::open(path)) {}

  std::size_t samples() const { return complete_.size(); }
  bool complete(std::size_t sample) const { return complete_.at(sample) != 0; }
  std::size_t count_complete() const {
    std::size_t count = 0;
    for (const signed char c : complete_) count += c != 0 ? 1U : 0U;
    return count;
  }
  /// Names of the set's variables, in the order of Sample::values.
  const std::vector<std::string>& variables() const { return names_; }
  const std::vector<std::string>& parameters() const { return parameters_; }
  std::size_t frames() const { return extents_[1]; }
  std::size_t height() const { return extents_[2]; }
  std::size_t width() const { return extents_[3]; }

  /// Writes a sample and then, once it is in the file, that it is complete.
  void write(std::size_t index, const Sample& sample) {
    require_index(index);
    const std::size_t each = extents_[1] * extents_[2] * extents_[3];
    require<ShapeError>(sample.values.size() == each * names_.size() && sample.parameters.size() == parameters_.size(),
                        file_.path(), ": a sample of ", sample.values.size(), " values and ", sample.parameters.size(),
                        " parameters, expected ", each * names_.size(), " and ", parameters_.size());
    for (std::size_t v = 0; v < names_.size(); ++v) {
      const auto [start, count] = part(index);
      file_.check(nc_put_vara_double(file_.id(), id(names_[v]), start.data(), count.data(), sample.values.data() + v * each),
                  "writing " + names_[v]);
    }
    for (std::size_t p = 0; p < parameters_.size(); ++p)
      file_.check(nc_put_var1_double(file_.id(), id(parameters_[p]), &index, &sample.parameters[p]), "writing " + parameters_[p]);
    file_.check(nc_sync(file_.id()), "writing a sample");
    complete_[index] = 1;
    file_.check(nc_put_var1_schar(file_.id(), id("complete"), &index, &complete_[index]), "writing complete");
    file_.check(nc_sync(file_.id()), "writing a sample");
  }

  /// Throws DataError where the sample is not complete.
  Sample read(std::size_t index) const {
    require_index(index);
    require<DataError>(complete(index), file_.path(), ": sample ", index, " is not there yet (", count_complete(), " of ",
                       samples(), " are)");
    const std::size_t each = extents_[1] * extents_[2] * extents_[3];
    Sample out{.values = std::vector<double>(each * names_.size()), .parameters = std::vector<double>(parameters_.size())};
    for (std::size_t v = 0; v < names_.size(); ++v) {
      const auto [start, count] = part(index);
      file_.check(nc_get_vara_double(file_.id(), id(names_[v]), start.data(), count.data(), out.values.data() + v * each),
                  "reading " + names_[v]);
    }
    for (std::size_t p = 0; p < parameters_.size(); ++p)
      file_.check(nc_get_var1_double(file_.id(), id(parameters_[p]), &index, &out.parameters[p]), "reading " + parameters_[p]);
    return out;
  }

  void close() { file_.close(); }

 private:
  using File = data::netcdf::File;

  explicit SampleFile(File file) : file_(std::move(file)) {
    require<DataError>(!data::netcdf::text_attribute(file_, NC_GLOBAL, "set").empty() && file_.find("complete"), file_.path(),
                       ": is not a file of generated samples");
    for (const data::netcdf::Variable& v : file_.variables()) {
      if (v.dims.empty() || v.dims[0].name != "sample" || v.name == "complete") continue;
      (v.dims.size() == 4 ? names_ : parameters_).push_back(v.name);
      if (v.dims.size() == 4)
        for (std::size_t d = 0; d < 4; ++d) extents_[d] = v.dims[d].size;
    }
    require<DataError>(!names_.empty(), file_.path(), ": holds no variable of samples");
    complete_.resize(extents_[0]);
    file_.check(nc_get_var_schar(file_.id(), id("complete"), complete_.data()), "reading complete");
  }

  int id(const std::string& name) const {
    int variable = -1;
    file_.check(nc_inq_varid(file_.id(), name.c_str(), &variable), "finding " + name);
    return variable;
  }
  void require_index(std::size_t index) const {
    require<DataError>(index < samples(), file_.path(), ": sample ", index, " of ", samples());
  }
  struct Part {
    std::array<std::size_t, 4> start, count;
  };
  Part part(std::size_t index) const { return {{index, 0, 0, 0}, {1, extents_[1], extents_[2], extents_[3]}}; }

  /// What made the samples: another version's may be others.
  static std::string source() { return text("lacuna ", version); }

  void require_same(const Description& d, std::size_t count, std::uint64_t seed) const {
    const auto differs = [&](const std::string& what, const auto& here, const auto& asked) {
      require<OtherSamples>(here == asked, file_.path(), ": exists with ", what, " ", here, ", asked for ", asked,
                            "; name another file or remove it");
    };
    differs("set", data::netcdf::text_attribute(file_, NC_GLOBAL, "set"), d.name);
    differs("source", data::netcdf::text_attribute(file_, NC_GLOBAL, "source"), source());
    differs("seed", data::netcdf::text_attribute(file_, NC_GLOBAL, "seed"), std::to_string(seed));
    differs("samples", samples(), count);
    differs("frames", frames(), d.time.size());
    differs("rows", height(), d.y.size());
    differs("columns", width(), d.x.size());
    for (const Quantity& q : d.variables)
      differs(q.name + " in units of", data::netcdf::text_attribute(file_, id(q.name), "units"), q.units);
    for (const auto& [name, value] : d.settings) {
      const auto here = data::netcdf::number_attribute(file_, NC_GLOBAL, name);
      differs(name, here.size() == 1 ? here[0] : std::nan(""), value);
    }
    const auto step = [&](const char* axis, const std::vector<double>& asked) {
      std::vector<double> here(asked.size());
      file_.check(nc_get_var_double(file_.id(), id(axis), here.data()), text("reading ", axis));
      for (std::size_t i = 0; i < here.size(); ++i) differs(text(axis, " ", i, " at"), here[i], asked[i]);
    };
    step("time", d.time);
    step("y", d.y);
    step("x", d.x);
  }

  static void create(const std::string& path, const Description& d, std::size_t samples, std::uint64_t seed) {
    data::AtomicFile disk(path);
    // HDF5 must not meet a full disk (see data::netcdf::Output): make sure of the room before, and take it afterwards.
    constexpr std::size_t header = 1 << 20;
    reserve(disk, samples * (d.values() * (d.double_precision ? 8 : 4) + 8 * d.parameters.size() + 1) + header);
    File file = File::create(disk.temporary(), NC_NETCDF4, path);
    int before = 0;
    file.check(nc_set_fill(file.id(), NC_NOFILL, &before), "leaving out fill values");
    const std::array<const std::vector<double>*, 3> axes{&d.time, &d.y, &d.x};
    std::vector<int> dims(4), coordinates;
    file.check(nc_def_dim(file.id(), "sample", samples, &dims[0]), "defining sample");
    for (std::size_t a = 0; a < 3; ++a) {
      const std::string name = a == 0 ? "time" : a == 1 ? "y" : "x";
      file.check(nc_def_dim(file.id(), name.c_str(), axes[a]->size(), &dims[a + 1]), "defining " + name);
      coordinates.push_back(data::netcdf::define_variable(file, name, NC_DOUBLE, {dims[a + 1]}));
      data::netcdf::put_text(file, coordinates.back(), "units", a == 0 ? d.time_units : d.length_units);
      data::netcdf::put_text(file, coordinates.back(), "axis", a == 0 ? "T" : a == 1 ? "Y" : "X");
    }
    const auto define = [&](const Quantity& q, nc_type type, const std::vector<int>& over) {
      const int variable = data::netcdf::define_variable(file, q.name, type, over);
      data::netcdf::put_text(file, variable, "units", q.units);
      data::netcdf::put_text(file, variable, "long_name", q.long_name);
      file.check(nc_def_var_chunking(file.id(), variable, NC_CONTIGUOUS, nullptr), "choosing the layout of " + q.name);
      return variable;
    };
    std::vector<int> fields, numbers;
    for (const Quantity& q : d.variables) fields.push_back(define(q, d.double_precision ? NC_DOUBLE : NC_FLOAT, dims));
    for (const Quantity& q : d.parameters) numbers.push_back(define(q, NC_DOUBLE, {dims[0]}));
    const int complete =
        define({"complete", "1", "1 where the sample is there, 0 where it is still to be made"}, NC_BYTE, {dims[0]});
    describe(file, d, seed);
    for (std::size_t a = 0; a < 3; ++a)
      file.check(nc_put_var_double(file.id(), coordinates[a], axes[a]->data()), "writing a coordinate");
    // The last value of each makes HDF5 lay all of it out.
    const std::array<std::size_t, 4> last{samples - 1, d.time.size() - 1, d.y.size() - 1, d.x.size() - 1};
    const double zero = 0;
    for (const int variable : fields)
      file.check(nc_put_var1_double(file.id(), variable, last.data(), &zero), "laying out a variable");
    for (const int variable : numbers)
      file.check(nc_put_var1_double(file.id(), variable, last.data(), &zero), "laying out a variable");
    const std::vector<signed char> none(samples, 0);
    file.check(nc_put_var_schar(file.id(), complete, none.data()), "writing complete");
    file.close();
    reserve(disk, std::filesystem::file_size(disk.temporary()));
    disk.commit();
  }

  static void describe(const File& file, const Description& d, std::uint64_t seed) {
    using data::netcdf::put_text;
    put_text(file, NC_GLOBAL, "Conventions", "CF-1.8");
    put_text(file, NC_GLOBAL, "title", d.title);
    put_text(file, NC_GLOBAL, "source", source());
    put_text(file, NC_GLOBAL, "set", d.name);
    put_text(file, NC_GLOBAL, "seed", std::to_string(seed));
    for (const auto& [name, value] : d.settings)
      file.check(nc_put_att_double(file.id(), NC_GLOBAL, name.c_str(), NC_DOUBLE, 1, &value), "writing attribute " + name);
  }

  /// Takes so many bytes from the disk for the file.
  static void reserve(const data::AtomicFile& disk, std::uintmax_t size) {
    const int fd = ::open(disk.temporary().c_str(), O_WRONLY | O_CLOEXEC);
    const int reason = fd < 0 ? errno : ::posix_fallocate(fd, 0, static_cast<off_t>(size));
    if (fd >= 0) ::close(fd);
    require<DataError>(reason == 0, disk.path(), ": no room for its ", size >> 20, " MiB: ", std::strerror(reason));
  }

  File file_;
  std::vector<std::string> names_, parameters_;
  std::array<std::size_t, 4> extents_{};
  std::vector<signed char> complete_;
};

}  // namespace lacuna::physics
