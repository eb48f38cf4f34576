#pragma once

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

namespace lacuna::experiment {

/// @brief What made an outcome, for whoever reads its figure.
struct Origin {
  std::string commit = "unknown", machine = "unknown";
  int threads = 0;
  std::string device = "cpu";

  nlohmann::json json() const { return {{"commit", commit}, {"machine", machine}, {"threads", threads}, {"device", device}}; }
  bool operator==(const Origin&) const = default;
};

/// @brief The processor's name as Linux tells it.
inline std::string processor_name() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);) {
    const auto colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown";
}

}  // namespace lacuna::experiment
