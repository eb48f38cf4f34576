#pragma once

#include "lacuna/cuda/ops/activation.hpp"
#include "lacuna/cuda/ops/attention.hpp"
#include "lacuna/cuda/ops/canvas.hpp"
#include "lacuna/cuda/ops/cast.hpp"
#include "lacuna/cuda/ops/column_sums.hpp"
#include "lacuna/cuda/ops/concatenate.hpp"
#include "lacuna/cuda/ops/conditioned_linear.hpp"
#include "lacuna/cuda/ops/convolution.hpp"
#include "lacuna/cuda/ops/frame_axis.hpp"
#include "lacuna/cuda/ops/gated_add.hpp"
#include "lacuna/cuda/ops/layer_norm.hpp"
#include "lacuna/cuda/ops/linear_attention.hpp"
#include "lacuna/cuda/ops/masked_loss.hpp"
#include "lacuna/cuda/ops/pointwise_linear.hpp"
#include "lacuna/cuda/ops/rms_norm_silu.hpp"
#include "lacuna/cuda/ops/spatial_attention.hpp"
#include "lacuna/cuda/ops/spectral_axis.hpp"
#include "lacuna/cuda/ops/spectral_convolution.hpp"
#include "lacuna/cuda/ops/temporal_attention.hpp"
#include "lacuna/cuda/ops/time_embedding.hpp"

// All that ops compute on a GPU, for files that compile networks for one. Each file has the functions that the op of its name
// calls with its graph, which are found by the graph's type; lacuna/ops has the same for the CPU's. They enqueue on the device's
// stream and return; in a dry graph they take and give their workspaces and find their plans.
