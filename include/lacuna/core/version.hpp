#pragma once

namespace lacuna {

/// @brief The library's version; CMakeLists.txt reads it from here.
inline constexpr const char* version = "0.1.0";

}  // namespace lacuna
