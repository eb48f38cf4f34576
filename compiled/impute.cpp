#include "lacuna/impute_inline.hpp"
