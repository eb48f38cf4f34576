#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "lacuna/core/arena.hpp"
#include "lacuna/core/configuration.hpp"
#include "lacuna/core/libraries.hpp"
#include "lacuna/core/parallel.hpp"
#include "lacuna/core/simd.hpp"

namespace lacuna::cpu {
inline namespace LACUNA_CONFIGURATION {

/// @brief Which code runs convolutions: oneDNN, or the plain path on Eigen (any scalar type; the tests' second opinion).
enum class Convolutions { onednn, eigen };

#if defined(LACUNA_HAS_ONEDNN) && !defined(__CUDACC__)
inline constexpr Convolutions default_convolutions = Convolutions::onednn;
#else
inline constexpr Convolutions default_convolutions = Convolutions::eigen;
#endif

/// @brief The CPU backend: threads, the arena of the current step, and what libraries keep between steps.
///
/// An ordinary object; two devices share nothing. Ops are overloads on it.
class Device {
 public:
  struct Settings {
    int threads = 0;  ///< 0: all the machine offers; no more than OpenMP grants
    /// Address space, not memory: pages are committed when touched. 0: the device is for dry runs only, of any size.
    std::size_t arena_bytes = std::size_t{1} << 36;
    Convolutions convolutions = default_convolutions;
  };

  Device() : Device(Settings{}) {}
  explicit Device(const Settings& settings)
      : threads_(settings.threads > 0 ? granted_threads(settings.threads) : hardware_threads()),
        convolutions_(settings.convolutions),
        arena_(settings.arena_bytes),
        tape_(std::size_t{1} << 28) {}
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  /// Why images in bfloat16 do not make UNets faster here; null where they do.
  const char* lacks_bfloat16() const {
    if (!simd::has_bfloat16()) return "this machine does not multiply bfloat16";
    return default_convolutions == Convolutions::onednn ? nullptr : "this build has no oneDNN";
  }
  std::string name() const { return "cpu"; }

  int threads() const { return threads_; }
  Convolutions convolutions() const { return convolutions_; }
  Arena& arena() { return arena_; }  ///< activations, gradients and workspaces of the current step
  Arena& tape() { return tape_; }    ///< nodes and backward closures of the current step: small, also written by dry runs

  /// Ends the step: everything taken from the arenas is void.
  void reset() {
    arena_.reset();
    tape_.reset();
  }

  /// Like reset(), and hands the arenas' memory back to the system.
  void release() {
    arena_.release();
    tape_.release();
  }

  /// Bytes of the host's memory that the arena has spanned.
  std::size_t host_bytes() const { return arena_.high_water(); }

  /// Another device like this one, whose memory is gone with it.
  std::shared_ptr<Device> sibling() const {
    return std::make_shared<Device>(Settings{.threads = threads_, .convolutions = convolutions_});
  }

  /// The device's one object of type Library (handles, plans), made on first use.
  template <class Library>
  Library& library() {
    return libraries_.get<Library>(*this);
  }

 private:
  int threads_;
  Convolutions convolutions_;
  Arena arena_, tape_;
  Libraries libraries_;
};

}  // namespace LACUNA_CONFIGURATION
}  // namespace lacuna::cpu
