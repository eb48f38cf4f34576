#pragma once

#include <map>
#include <memory>

namespace lacuna {

/// @brief What libraries keep between the steps of a device (handles, plans): one object of each type, made on first use.
class Libraries {
 public:
  /// The object of type Library, made from the device where there is none yet.
  template <class Library, class Device>
  Library& get(Device& device) {
    auto& slot = made_[&tag<Library>];
    if (!slot) slot = std::make_shared<Library>(device);
    return *static_cast<Library*>(slot.get());
  }
  void clear() { made_.clear(); }

 private:
  template <class>
  static constexpr char tag = 0;

  std::map<const void*, std::shared_ptr<void>> made_;
};

}  // namespace lacuna
