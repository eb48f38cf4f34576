// Every kernel, compiled by nvcc with the template arguments the library uses, and linked with the CUDA runtime.
#include "accumulate.cuh"
#include "activation.cuh"
#include "adam.cuh"
#include "assemble.cuh"
#include "canvas.cuh"
#include "cast.cuh"
#include "column_sums.cuh"
#include "concatenate.cuh"
#include "conditioned_linear.cuh"
#include "ensemble.cuh"
#include "epilogue.cuh"
#include "filter_layout.cuh"
#include "frame_axis.cuh"
#include "gated_add.cuh"
#include "layer_norm.cuh"
#include "linear_attention.cuh"
#include "masked_loss.cuh"
#include "rms_norm_parameters.cuh"
#include "rms_norm_silu.cuh"
#include "spatial_attention.cuh"
#include "spectral_band.cuh"
#include "spectral_mixing.cuh"
#include "temporal_attention.cuh"
#include "time_embedding.cuh"

using namespace lacuna;

template void kernels::assemble<schedule::DataMatching>(kernels::Stream, const train::SampleView*, const kernels::AssembleBatch&,
                                                        const schedule::DataMatching&);
template void kernels::assemble<schedule::NoiseMatching>(kernels::Stream, const train::SampleView*, const kernels::AssembleBatch&,
                                                         const schedule::NoiseMatching&);
template void kernels::assemble<schedule::VelocityMatching>(kernels::Stream, const train::SampleView*,
                                                            const kernels::AssembleBatch&, const schedule::VelocityMatching&);
template void kernels::epilogue<ops::Identity, float>(kernels::Stream, const float*, const float*, const float*, std::size_t, int,
                                                      float*);
template void kernels::epilogue<ops::Silu, float>(kernels::Stream, const float*, const float*, const float*, std::size_t, int,
                                                  float*);
template void kernels::epilogue<ops::Gelu, float>(kernels::Stream, const float*, const float*, const float*, std::size_t, int,
                                                  float*);
template void kernels::norm_forward<float>(kernels::Stream, const kernels::Norm<float>&);
template void kernels::norm_backward<float>(kernels::Stream, const kernels::Norm<float>&);
template void kernels::concatenate<float>(kernels::Stream, const float*, const float*, std::size_t, int, int, float*);
template void kernels::split<float>(kernels::Stream, const float*, std::size_t, int, int, float*, float*);
template void kernels::epilogue<ops::Identity, Bfloat16>(kernels::Stream, const Bfloat16*, const float*, const Bfloat16*,
                                                         std::size_t, int, Bfloat16*);
template void kernels::epilogue<ops::Silu, Bfloat16>(kernels::Stream, const Bfloat16*, const float*, const Bfloat16*, std::size_t,
                                                     int, Bfloat16*);
template void kernels::epilogue<ops::Gelu, Bfloat16>(kernels::Stream, const Bfloat16*, const float*, const Bfloat16*, std::size_t,
                                                     int, Bfloat16*);
template void kernels::norm_forward<Bfloat16>(kernels::Stream, const kernels::Norm<Bfloat16>&);
template void kernels::norm_backward<Bfloat16>(kernels::Stream, const kernels::Norm<Bfloat16>&);
template void kernels::concatenate<Bfloat16>(kernels::Stream, const Bfloat16*, const Bfloat16*, std::size_t, int, int, Bfloat16*);
template void kernels::split<Bfloat16>(kernels::Stream, const Bfloat16*, std::size_t, int, int, Bfloat16*, Bfloat16*);
template void kernels::canvas<float>(kernels::Stream, const float*, const Shape&, const ops::Window&, const ops::Borders&,
                                     float*);
template void kernels::canvas_gradient<float>(kernels::Stream, const float*, const Shape&, const ops::Window&,
                                              const ops::Borders&, float*);
template void kernels::column_sums<float>(kernels::Stream, const float*, std::size_t, int, float*, float*);
template void kernels::accumulate<float>(kernels::Stream, float*, const float*, std::size_t);
template void kernels::activation<ops::Gelu, float>(kernels::Stream, const float*, std::size_t, float*);
template void kernels::activation<ops::Silu, float>(kernels::Stream, const float*, std::size_t, float*);
template void kernels::activation_gradient<ops::Gelu, float>(kernels::Stream, const float*, const float*, std::size_t, float*);
template void kernels::activation_gradient<ops::Silu, float>(kernels::Stream, const float*, const float*, std::size_t, float*);
template void kernels::canvas<Bfloat16>(kernels::Stream, const Bfloat16*, const Shape&, const ops::Window&, const ops::Borders&,
                                        Bfloat16*);
template void kernels::canvas_gradient<Bfloat16>(kernels::Stream, const Bfloat16*, const Shape&, const ops::Window&,
                                                 const ops::Borders&, Bfloat16*);
template void kernels::column_sums<Bfloat16>(kernels::Stream, const Bfloat16*, std::size_t, int, float*, float*);
template void kernels::accumulate<Bfloat16>(kernels::Stream, Bfloat16*, const Bfloat16*, std::size_t);
template void kernels::activation<ops::Gelu, Bfloat16>(kernels::Stream, const Bfloat16*, std::size_t, Bfloat16*);
template void kernels::activation<ops::Silu, Bfloat16>(kernels::Stream, const Bfloat16*, std::size_t, Bfloat16*);
template void kernels::activation_gradient<ops::Gelu, Bfloat16>(kernels::Stream, const Bfloat16*, const Bfloat16*, std::size_t,
                                                                Bfloat16*);
template void kernels::activation_gradient<ops::Silu, Bfloat16>(kernels::Stream, const Bfloat16*, const Bfloat16*, std::size_t,
                                                                Bfloat16*);
template void kernels::layer_norm_forward<float>(kernels::Stream, const kernels::Norm<float>&);
template void kernels::layer_norm_backward<float>(kernels::Stream, const kernels::Norm<float>&, float*);
template void kernels::layer_norm_forward<Bfloat16>(kernels::Stream, const kernels::Norm<Bfloat16>&);
template void kernels::layer_norm_backward<Bfloat16>(kernels::Stream, const kernels::Norm<Bfloat16>&, float*);
template void kernels::unpack_frames<float>(kernels::Stream, const float*, const Shape&, const ops::FrameChannels&, float*);
template void kernels::pack_frames<float>(kernels::Stream, const float*, const Shape&, const ops::FrameChannels&, float*);
template void kernels::unpack_frames<Bfloat16>(kernels::Stream, const Bfloat16*, const Shape&, const ops::FrameChannels&,
                                               Bfloat16*);
template void kernels::pack_frames<Bfloat16>(kernels::Stream, const Bfloat16*, const Shape&, const ops::FrameChannels&,
                                             Bfloat16*);
template void kernels::gated_add<float>(kernels::Stream, const kernels::Norm<float>&);
template void kernels::gated_add_backward<float>(kernels::Stream, const kernels::Norm<float>&, bool, float*);
template void kernels::gated_add<Bfloat16>(kernels::Stream, const kernels::Norm<Bfloat16>&);
template void kernels::gated_add_backward<Bfloat16>(kernels::Stream, const kernels::Norm<Bfloat16>&, bool, float*);
template void kernels::linear_attention_forward<float>(kernels::Stream, const kernels::PositionAttention<float>&, float*, float*);
template void kernels::linear_attention_backward<float>(kernels::Stream, const kernels::PositionAttention<float>&, float*,
                                                        float*);
template void kernels::linear_attention_forward<Bfloat16>(kernels::Stream, const kernels::PositionAttention<Bfloat16>&, float*,
                                                          float*);
template void kernels::linear_attention_backward<Bfloat16>(kernels::Stream, const kernels::PositionAttention<Bfloat16>&, float*,
                                                           float*);
template void kernels::spatial_attention_forward<float>(kernels::Stream, const kernels::PositionAttention<float>&);
template void kernels::spatial_attention_backward<float>(kernels::Stream, const kernels::PositionAttention<float>&, float*);
template void kernels::spatial_attention_forward<Bfloat16>(kernels::Stream, const kernels::PositionAttention<Bfloat16>&);
template void kernels::spatial_attention_backward<Bfloat16>(kernels::Stream, const kernels::PositionAttention<Bfloat16>&, float*);
template void kernels::temporal_attention_forward<float>(kernels::Stream, const kernels::TemporalAttention<float>&);
template void kernels::temporal_attention_backward<float>(kernels::Stream, const kernels::TemporalAttention<float>&, float*);
template void kernels::temporal_attention_forward<Bfloat16>(kernels::Stream, const kernels::TemporalAttention<Bfloat16>&);
template void kernels::temporal_attention_backward<Bfloat16>(kernels::Stream, const kernels::TemporalAttention<Bfloat16>&,
                                                             float*);
template void kernels::cast<float, Bfloat16>(kernels::Stream, const float*, std::size_t, Bfloat16*);
template void kernels::cast<Bfloat16, float>(kernels::Stream, const Bfloat16*, std::size_t, float*);
template void kernels::condition<float>(kernels::Stream, const kernels::Conditioning&, const float*, const float*, const float*,
                                        float*);
template void kernels::condition_backward<float>(kernels::Stream, const kernels::Conditioning&, const float*, float*, float*,
                                                 float*, float*);
template void kernels::condition<Bfloat16>(kernels::Stream, const kernels::Conditioning&, const float*, const float*,
                                           const float*, Bfloat16*);
template void kernels::condition_backward<Bfloat16>(kernels::Stream, const kernels::Conditioning&, const Bfloat16*, float*,
                                                    float*, float*, float*);

int main() {
  // The launch functions that are no templates are kept by taking their addresses; nothing runs without a GPU.
  const void* const kept[] = {reinterpret_cast<const void*>(&kernels::count_queried),
                              reinterpret_cast<const void*>(&kernels::masked_loss),
                              reinterpret_cast<const void*>(&kernels::adam),
                              reinterpret_cast<const void*>(&kernels::ensemble),
                              reinterpret_cast<const void*>(&kernels::norm_parameters),
                              reinterpret_cast<const void*>(&kernels::reorder_filter),
                              reinterpret_cast<const void*>(&kernels::add_reordered_filter),
                              reinterpret_cast<const void*>(&kernels::time_embedding),
                              reinterpret_cast<const void*>(&kernels::rotary_tables),
                              reinterpret_cast<const void*>(&kernels::spectral_mixing_forward),
                              reinterpret_cast<const void*>(&kernels::spectral_mixing_input_gradient),
                              reinterpret_cast<const void*>(&kernels::spectral_mixing_weight_gradient),
                              reinterpret_cast<const void*>(&kernels::crop_modes),
                              reinterpret_cast<const void*>(&kernels::pad_modes)};
  for (const void* p : kept)
    if (p == nullptr) return 1;
  return 0;
}
