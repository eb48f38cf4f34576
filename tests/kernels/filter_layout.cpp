#include "filter_layout.cuh"

#include "catch.hpp"
#include "cuda_emulation/buffer.hpp"
#include "kernels/orders.hpp"
#include "kernels/scalars.hpp"

using namespace lacuna;
using cuda_emulation::Buffer;

namespace {

/// Where (o, tap, i) of a weight (out, taps, in) lies in (in, taps, out).
template <class Visit>
void for_weights(std::size_t out, std::size_t taps, std::size_t in, const Visit& visit) {
  for (std::size_t o = 0; o < out; ++o)
    for (std::size_t tap = 0; tap < taps; ++tap)
      for (std::size_t i = 0; i < in; ++i) visit((o * taps + tap) * in + i, (i * taps + tap) * out + o);
}

}  // namespace

TEST_CASE("Filter layout kernels: reorder bit for bit, and add back what the reordered weight's gradient is") {
  for (const int taps : {1, 9})
    for (const auto& [out, in] : {std::pair{1, 1}, std::pair{3, 40}, std::pair{33, 7}, std::pair{64, 32}, std::pair{70, 65}}) {
      const auto size = static_cast<std::size_t>(out) * static_cast<std::size_t>(taps) * static_cast<std::size_t>(in);
      auto weight = test::normals<float>(size, 1);
      weight[size / 2] = test::nan<float>;
      const auto gradient = test::normals<float>(size, 2), before = test::normals<float>(size, 3);
      std::vector<float> reordered(size), added = before;
      for_weights(static_cast<std::size_t>(out), static_cast<std::size_t>(taps), static_cast<std::size_t>(in),
                  [&](std::size_t ours, std::size_t other) {
                    reordered[other] = weight[ours];
                    added[ours] += gradient[other];
                  });
      test::in_every_order([&] {
        INFO(out << " x " << taps << " x " << in);
        Buffer<float> from(weight, 1), to(size, 1), g(gradient, 1), sum(before, 1);
        kernels::reorder_filter({}, from, out, taps, in, to);
        CHECK(test::same_bits(to.content(), reordered));
        kernels::add_reordered_filter({}, g, out, taps, in, sum);
        CHECK(test::same_bits(sum.content(), added));
        CHECK((to.intact() && sum.intact()));
      });
    }
}
