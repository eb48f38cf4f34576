#define LACUNA_HAS_ONEDNN 1
#include "describe.hpp"
#include "which.hpp"

std::string with_onednn() { return describe(); }
