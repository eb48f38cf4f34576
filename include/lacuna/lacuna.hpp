#pragma once

/// The whole library but for what needs other packages: NetCDF (lacuna/data/netcdf.hpp), pictures (lacuna/data/picture.hpp),
/// OpenCV's inpainting (lacuna/baseline/inpainting.hpp) and the tool's file handling (lacuna/fill/fill.hpp); and but for the
/// Gaussian oracle (lacuna/theory).

#include "lacuna/core/version.hpp"
#include "lacuna/data/field.hpp"
#include "lacuna/data/npy.hpp"
#include "lacuna/fill/classical.hpp"
#include "lacuna/fill/impute.hpp"
#include "lacuna/mask/any_policy.hpp"
#include "lacuna/mask/audit.hpp"
#include "lacuna/mask/objectives.hpp"
#include "lacuna/nn/fno.hpp"
#include "lacuna/nn/published_fno.hpp"
#include "lacuna/nn/published_space_time_unet.hpp"
#include "lacuna/nn/space_time_unet.hpp"
#include "lacuna/nn/unet.hpp"
#include "lacuna/sampler/guidance.hpp"
#include "lacuna/sampler/multi_step.hpp"
#include "lacuna/sampler/single_step.hpp"
#include "lacuna/schedule/cosine.hpp"
#include "lacuna/schedule/rectified_flow.hpp"
#include "lacuna/schedule/variance_exploding.hpp"
#include "lacuna/schedule/variance_preserving.hpp"
#include "lacuna/train/trainer.hpp"
