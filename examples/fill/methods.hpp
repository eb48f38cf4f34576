#pragma once

#include <string>
#include <vector>

#include "lacuna/classical.hpp"
#include "lacuna/core/error.hpp"
#ifdef LACUNA_HAS_OPENCV
#include "lacuna/baseline/inpainting.hpp"
#include "lacuna/baseline/planes.hpp"
#endif

namespace lacuna::fill {

/// @brief Whether this build can inpaint by OpenCV (target lacuna::opencv).
#ifdef LACUNA_HAS_OPENCV
inline constexpr bool has_opencv = true;
#else
inline constexpr bool has_opencv = false;
#endif

/// @brief Names of the fills that train nothing; those of OpenCV too, whether this build has it or not.
inline std::vector<std::string> method_names() {
  std::vector<std::string> names;
  for (const auto& method : classical_methods()) {
    if (method.name == "dineof") names.insert(names.end(), {"telea", "navier-stokes"});
    names.push_back(method.name);
  }
  return names;
}

/// @brief The method of a name. Throws: OptionError for names that there are not, or not in this build.
inline ClassicalMethod find_method(const std::string& name) {
  for (const auto& method : classical_methods())
    if (method.name == name) return method;
  const bool inpainting = name == "telea" || name == "navier-stokes";
#ifdef LACUNA_HAS_OPENCV
  if (inpainting)
    return {name, ClassicalMethod::Kind::frames,
            name == "telea" ? FrameFill(baseline::fill_planes<baseline::TeleaFill>)
                            : FrameFill(baseline::fill_planes<baseline::NavierStokesFill>)};
#endif
  require<OptionError>(!inpainting, "--method ", name,
                       ": this build has no OpenCV (Debian: apt-get install libopencv-photo-dev, then build again)");
  std::string known = "diffusion";
  const auto names = method_names();
  for (std::size_t i = 0; i < names.size(); ++i) known += (i + 1 == names.size() ? " or " : ", ") + names[i];
  throw OptionError(text("--method ", name, ": expected ", known));
}

}  // namespace lacuna::fill
