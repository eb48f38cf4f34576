#pragma once

#include <vector>

#include "lacuna/ops/convolution_geometry.hpp"

namespace lacuna::test {

/// Calls visit(y, w, x) for every product y += w x of a convolution, with the index of each in its tensor.
template <class Visit>
void for_products(const ops::ConvolutionGeometry& g, const Visit& visit) {
  const Shape &in = g.input, &out = g.output;
  const Shape &inner = g.transposed ? in : out, &outer = g.transposed ? out : in;
  for (int n = 0; n < in.images(); ++n)
    for (int iy = 0; iy < inner.height; ++iy)
      for (int ix = 0; ix < inner.width; ++ix)
        for (int ky = 0; ky < g.kernel; ++ky)
          for (int kx = 0; kx < g.kernel; ++kx) {
            const int oy = iy * g.stride - g.padding + ky, ox = ix * g.stride - g.padding + kx;
            if (oy < 0 || oy >= outer.height || ox < 0 || ox >= outer.width) continue;
            const int at_inner = (n * inner.height + iy) * inner.width + ix,
                      at_outer = (n * outer.height + oy) * outer.width + ox;
            const int at_y = g.transposed ? at_outer : at_inner, at_x = g.transposed ? at_inner : at_outer;
            for (int o = 0; o < out.channels; ++o)
              for (int i = 0; i < in.channels; ++i)
                visit(static_cast<std::size_t>(at_y * out.channels + o),
                      static_cast<std::size_t>(((o * g.kernel + ky) * g.kernel + kx) * in.channels + i),
                      static_cast<std::size_t>(at_x * in.channels + i));
          }
}

/// The definition of the convolution and of its gradients, in double.
struct PlainConvolution {
  std::vector<double> y, grad_x, grad_weight, grad_bias;

  template <class T>
  PlainConvolution(const ops::ConvolutionGeometry& g, const std::vector<T>& x, const std::vector<T>& weight,
                   const std::vector<T>& bias, const std::vector<T>& grad_y)
      : y(g.output.size()), grad_x(x.size()), grad_weight(weight.size()), grad_bias(bias.size()) {
    for (std::size_t i = 0; i < y.size(); ++i) {
      y[i] = static_cast<double>(bias[i % bias.size()]);
      grad_bias[i % bias.size()] += static_cast<double>(grad_y[i]);
    }
    for_products(g, [&](std::size_t at_y, std::size_t at_w, std::size_t at_x) {
      const auto dy = static_cast<double>(grad_y[at_y]), w = static_cast<double>(weight[at_w]), v = static_cast<double>(x[at_x]);
      y[at_y] += w * v;
      grad_x[at_x] += w * dy;
      grad_weight[at_w] += v * dy;
    });
  }
};

}  // namespace lacuna::test
