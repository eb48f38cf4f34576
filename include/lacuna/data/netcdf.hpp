#pragma once

#include "lacuna/data/netcdf_read.hpp"
