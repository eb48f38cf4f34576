#undef LACUNA_HAS_ONEDNN
#include "describe.hpp"
#include "which.hpp"

std::string without_onednn() { return describe(); }
