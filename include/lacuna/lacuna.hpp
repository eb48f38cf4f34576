#pragma once

/// What most programs need: data, settings, impute() and the classical fills, and the parts that a Model is made of. Everything
/// else has a header of its own; what needs other packages, too: NetCDF (lacuna/data/netcdf.hpp), pictures
/// (lacuna/data/picture.hpp), OpenCV's inpainting (lacuna/baseline/inpainting.hpp). With the target lacuna::compiled this header
/// only declares.

#include "lacuna/classical.hpp"
#include "lacuna/core/version.hpp"
#include "lacuna/data/field.hpp"
#include "lacuna/impute.hpp"
#include "lacuna/observer.hpp"
#include "lacuna/settings.hpp"
#include "lacuna/validation/holdout_split.hpp"
