#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include "lacuna/autograd/graph.hpp"
#include "lacuna/autograd/parameter.hpp"
#include "lacuna/cuda/device.hpp"

namespace lacuna::cuda {

/// @brief Where the parameters of the host's flat buffer lie in the device's: there each begins at 64 bytes, as libraries and
/// kernels with wide accesses want, and the elements between them are zero.
class ParameterLayout {
 public:
  template <class T>
  explicit ParameterLayout(const lacuna::Parameters<T>& host) : host_size_(host.size()) {
    constexpr std::size_t step = 64 / sizeof(T);
    for (const auto& entry : host.entries()) {
      places_.push_back({entry.at, size_});
      size_ += (entry.at.size + step - 1) / step * step;
    }
  }

  std::size_t size() const { return size_; }  ///< elements of the device's buffer

  std::size_t offset(Parameter p) const {
    const auto found =
        std::partition_point(places_.begin(), places_.end(), [p](const Place& at) { return at.host.offset < p.offset; });
    return found->device;
  }
  template <class T>
  std::vector<T> spread(const std::vector<T>& host) const {
    std::vector<T> device(size_, T(0));
    for (const auto& [at, to] : places_)
      std::copy_n(host.begin() + static_cast<std::ptrdiff_t>(at.offset), at.size,
                  device.begin() + static_cast<std::ptrdiff_t>(to));
    return device;
  }
  template <class T>
  std::vector<T> gather(const std::vector<T>& device) const {
    std::vector<T> host(host_size_);
    for (const auto& [at, from] : places_)
      std::copy_n(device.begin() + static_cast<std::ptrdiff_t>(from), at.size,
                  host.begin() + static_cast<std::ptrdiff_t>(at.offset));
    return host;
  }

 private:
  struct Place {
    Parameter host;
    std::size_t device;
  };

  std::vector<Place> places_;
  std::size_t host_size_, size_ = 0;
};

/// @brief An array of the parameters' layout in the device's memory.
template <class T>
class ParameterArray {
 public:
  ParameterArray(const Stream& stream, const ParameterLayout& layout, const std::vector<T>& host)
      : stream_(stream), layout_(layout), array_(layout.size()) {
    upload(host);
  }

  T* data() const { return array_.data(); }
  std::size_t size() const { return array_.size(); }

  /// Copies from or to a flat buffer of the host, and waits.
  void upload(const std::vector<T>& host) {
    const auto spread = layout_.spread(host);
    copy_now(stream_, array_.data(), spread.data(), spread.size(), cudaMemcpyHostToDevice);
  }
  std::vector<T> download() const {
    std::vector<T> spread(array_.size());
    copy_now(stream_, spread.data(), static_cast<const T*>(array_.data()), spread.size(), cudaMemcpyDeviceToHost);
    return layout_.gather(spread);
  }

 private:
  const Stream& stream_;
  const ParameterLayout& layout_;
  DeviceArray<T> array_;
};

/// @brief A network's parameters in the device's memory, and their gradients if it is to train; names and shapes stay with the
/// host's.
template <class T>
class Parameters {
 public:
  Parameters(Device& device, const lacuna::Parameters<T>& host, Mode mode = Mode::train)
      : stream_((device.use(), device.stream())), layout_(host), values_(stream_, layout_, host.values()) {
    if (mode == Mode::train) gradients_.emplace(stream_, layout_, std::vector<T>(host.size(), T(0)));
  }
  Parameters(const Parameters&) = delete;
  Parameters& operator=(const Parameters&) = delete;

  T* value(Parameter p) const { return values_.data() + layout_.offset(p); }
  T* gradient(Parameter p) const { return gradients_->data() + layout_.offset(p); }

  const ParameterLayout& layout() const { return layout_; }
  ParameterArray<T>& values() { return values_; }
  ParameterArray<T>& gradients() { return *gradients_; }

  void zero_gradients() {
    check(cudaMemsetAsync(gradients_->data(), 0, gradients_->size() * sizeof(T), stream_), "clear the gradients");
  }

 private:
  const Stream& stream_;
  ParameterLayout layout_;
  ParameterArray<T> values_;
  std::optional<ParameterArray<T>> gradients_;
};

}  // namespace lacuna::cuda

template <class T>
struct lacuna::ParametersOf<T, lacuna::cuda::Device> {
  using Type = cuda::Parameters<T>;
};
