#pragma once

#include <algorithm>
#include <chrono>
#include <initializer_list>
#include <iostream>
#include <string>
#include <string_view>

#include "lacuna/autograd/profile.hpp"

namespace lacuna::bench {

/// @brief Reads lines "WORK N" and answers each with the milliseconds of N calls of run(work, null), and lines "profile N" with
/// the profile of N calls of run("step", profile). Anything else ends it.
template <class Run>
void serve(std::initializer_list<std::string_view> works, const Run& run) {
  std::string what;
  int repeats = 0;
  while (std::cin >> what >> repeats) {
    if (what == "profile") {
      Profile profile;
      for (int i = 0; i < repeats; ++i) run("step", &profile);
      std::fputs(profile.table().c_str(), stdout);
      std::fflush(stdout);
      continue;
    }
    if (std::find(works.begin(), works.end(), what) == works.end()) return;
    for (int i = 0; i < repeats; ++i) {
      const auto start = std::chrono::steady_clock::now();
      run(what, nullptr);
      std::cout << std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count() << ' ';
    }
    std::cout << std::endl;
  }
}

}  // namespace lacuna::bench
