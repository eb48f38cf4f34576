#pragma once

#include <string>

// What each translation unit takes a CPU device, a convolution's path and a parallel loop to be.
std::string with_onednn();
std::string without_onednn();
