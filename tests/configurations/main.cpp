// Two translation units of different configurations in one program: each has its own code.
#include <cstdio>

#include "which.hpp"

int main() {
  const std::string with = with_onednn(), without = without_onednn();
  std::printf("with oneDNN: %s; without: %s\n", with.c_str(), without.c_str());
  return with == "onednn" && without == "eigen" ? 0 : 1;
}
