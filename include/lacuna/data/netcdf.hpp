#pragma once

// Everything about NetCDF files.
#include "lacuna/data/netcdf_export.hpp"
#include "lacuna/data/netcdf_read.hpp"
#include "lacuna/data/netcdf_record.hpp"
#include "lacuna/data/netcdf_write.hpp"
