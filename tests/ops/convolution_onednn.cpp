#include "lacuna/ops/convolution_onednn.hpp"

#include "catch.hpp"
#include "ops/convolution_cases.hpp"

#ifdef LACUNA_HAS_ONEDNN

using namespace lacuna;
using namespace lacuna::test;

namespace {

cpu::Device::Settings on_onednn(int threads = 1) { return {.threads = threads, .convolutions = cpu::Convolutions::onednn}; }

}  // namespace

TEST_CASE("oneDNN convolution: agrees with the definition") {
  for (const int threads : {1, 2}) {
    cpu::Device device(on_onednn(threads));
    for (const auto& c : convolution_cases()) check_against_definition<float>(device, c, tolerance::float_sum);
  }
}

TEST_CASE("oneDNN convolution: bit for bit again, on the same device and on another") {
  for (const auto& c : convolution_cases()) {
    ConvolutionLayer<float> l(c);
    const std::vector operands{random_operand<float>(c.input, 1)};
    cpu::Device one(on_onednn()), other(on_onednn());
    const auto pass = train_pass(one, l.parameters, operands, l.apply());
    INFO(c);
    CHECK(pass == train_pass(one, l.parameters, operands, l.apply()));
    CHECK(pass == train_pass(other, l.parameters, operands, l.apply()));
  }
}

TEST_CASE("oneDNN convolution: all that is taken is given back, and a dry one takes the same") {
  for (const auto& c : convolution_cases()) {
    const auto geometry = c.geometry();
    cpu::Device planned(on_onednn()), real(on_onednn());
    auto& dry = planned.library<ops::OneDnn>();
    dry.dry_forward<float>(geometry);
    dry.dry_backward<float>(geometry, true);
    auto& library = real.library<ops::OneDnn>();
    std::vector<float> x(geometry.input.size()), y(geometry.output.size()), bias(static_cast<std::size_t>(c.outputs)),
        weight(static_cast<std::size_t>(c.outputs * c.kernel * c.kernel * c.input.channels));
    library.forward(geometry, x.data(), weight.data(), bias.data(), y.data());
    library.backward_weights(geometry, x.data(), y.data(), weight.data(), bias.data());
    library.backward_data(geometry, y.data(), weight.data(), x.data());
    CHECK((real.arena().live() == 0 && planned.arena().live() == 0));
    CHECK(planned.arena().high_water() == real.arena().high_water());
  }
}

TEST_CASE("oneDNN convolution: the caller's number of OpenMP threads is left as it was") {
#ifdef _OPENMP
  const ConvolutionCase c = convolution_cases().front();
  ConvolutionLayer<float> l(c);
  cpu::Device device(on_onednn(1));
  const int before = omp_get_max_threads();
  omp_set_num_threads(3);
  train_pass<float>(device, l.parameters, {random_operand<float>(c.input, 1)}, l.apply());
  CHECK(omp_get_max_threads() == 3);
  omp_set_num_threads(before);
#endif
}

#else

TEST_CASE("oneDNN convolution: not built") { SUCCEED("oneDNN was not found"); }

#endif
