#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "lacuna/core/error.hpp"
#include "lacuna/core/philox.hpp"

namespace lacuna {

/// @brief Where a parameter lies in the flat buffer.
struct Parameter {
  std::size_t offset = 0, size = 0;
  std::uint64_t owner = 0;  ///< Parameters::identity() of those it was added to
};

/// @brief All parameters of a network in one flat buffer, and their gradients in another of the same layout.
///
/// T: float (also the master copy of reduced-precision networks) or double. Gradients accumulate; zero_gradients() starts anew.
/// Convolution weights are stored (out, kH, kW, in), linear weights (out, in).
template <class T>
class Parameters {
 public:
  struct Entry {
    std::string name;
    std::vector<int> dims;
    Parameter at;
  };

  /// Appends a parameter, filled with `value`. Throws Error if the name is taken.
  Parameter add(const std::string& name, const std::vector<int>& dims, T value = T(0)) {
    for (const auto& entry : entries_) require(entry.name != name, "Parameters: two parameters are named ", name);
    std::size_t size = 1;
    for (const int d : dims) size *= static_cast<std::size_t>(d);
    const Parameter at{values_.size(), size, identity_};
    entries_.push_back({name, dims, at});
    values_.resize(at.offset + size, value);
    gradients_.resize(at.offset + size, T(0));
    return at;
  }

  /// Fills a parameter with U(-bound, bound), from the stream of its offset: the same network has the same start everywhere.
  void fill_uniform(Parameter p, T bound, std::uint64_t seed) {
    const auto key = philox_key(seed, Purpose::initial);
    for (std::size_t i = 0; i < p.size; ++i)
      values_[p.offset + i] = bound * static_cast<T>(2.0f * uniform(philox(key, 0, p.offset + i)[0]) - 1.0f);
  }

  /// Throws: Error for a parameter that was added to others than these or those that these are a copy of.
  T* value(Parameter p) { return values_.data() + offset(p); }
  const T* value(Parameter p) const { return values_.data() + offset(p); }
  T* gradient(Parameter p) { return gradients_.data() + offset(p); }
  std::uint64_t identity() const { return identity_; }  ///< copies have that of the original

  std::vector<T>& values() { return values_; }
  const std::vector<T>& values() const { return values_; }
  std::vector<T>& gradients() { return gradients_; }
  const std::vector<Entry>& entries() const { return entries_; }
  std::size_t size() const { return values_.size(); }

  void zero_gradients() { std::fill(gradients_.begin(), gradients_.end(), T(0)); }

 private:
  static std::uint64_t next_identity() {
    static std::atomic<std::uint64_t> last{0};
    return ++last;
  }
  std::size_t offset(Parameter p) const {
    require(p.owner == identity_, "Parameters: a network was made with other parameters than it is run with");
    return p.offset;
  }

  std::uint64_t identity_ = next_identity();
  std::vector<Entry> entries_;
  std::vector<T> values_, gradients_;
};

}  // namespace lacuna
