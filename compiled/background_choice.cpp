#include "lacuna/model/background_choice_inline.hpp"
