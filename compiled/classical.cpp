#include "lacuna/classical_inline.hpp"
