#include "lacuna/ops/spectral_axis.hpp"

#include <complex>

#include "catch.hpp"
#include "support/compare.hpp"
#include "support/fill.hpp"
#include "support/probe.hpp"
#include "support/tolerances.hpp"

using namespace lacuna;
using ops::AxisTransform;

namespace {

template <class T>
using Axis = ops::SpectralAxis<T>;

/// Data of one axis: columns 3, rows as the axis wants them.
constexpr std::ptrdiff_t columns = 19;

template <class T>
struct Buffers {
  explicit Buffers(const Axis<T>& axis) : arena(std::size_t{1} << 24), workspace(arena.take_array<T>(axis.workspace())) {}
  Arena arena;
  T* workspace;
};

template <class T>
std::vector<T> analyse(const Axis<T>& axis, const std::vector<T>& space, typename Axis<T>::Weights weights) {
  Buffers<T> buffers(axis);
  test::Guarded<T> modes(static_cast<std::size_t>(2 * axis.kept() * columns));
  axis.analyse(space.data(), modes.data(), columns, columns, weights, buffers.workspace);
  CHECK(modes.intact());
  return modes.content();
}

template <class T>
std::vector<T> synthesise(const Axis<T>& axis, const std::vector<T>& modes, typename Axis<T>::Weights weights) {
  Buffers<T> buffers(axis);
  test::Guarded<T> space(static_cast<std::size_t>(axis.space_rows() * columns));
  axis.synthesise(modes.data(), space.data(), columns, columns, weights, buffers.workspace);
  CHECK(space.intact());
  return space.content();
}

/// The definition: modes_k = sum_x exp(-2 pi i k x / n) space_x / n.
std::vector<double> plain(const Axis<double>& axis, bool half, const std::vector<double>& space) {
  const auto kept = static_cast<std::size_t>(axis.kept()), n = static_cast<std::size_t>(axis.size()),
             wide = static_cast<std::size_t>(columns);
  std::vector<double> modes(2 * kept * wide);
  for (std::size_t k = 0; k < kept; ++k)
    for (std::size_t c = 0; c < wide; ++c) {
      std::complex<double> sum = 0;
      for (std::size_t x = 0; x < n; ++x) {
        const std::complex<double> value = half ? std::complex<double>(space[x * wide + c])
                                                : std::complex<double>(space[2 * x * wide + c], space[(2 * x + 1) * wide + c]);
        sum += value * std::polar(1.0, -2 * std::numbers::pi * axis.frequencies()[k] * static_cast<double>(x) / axis.size());
      }
      modes[k * wide + c] = sum.real() / axis.size();
      modes[(kept + k) * wide + c] = sum.imag() / axis.size();
    }
  return modes;
}

template <class Work>
void for_cases(const Work& work) {
  for (const auto transform : {AxisTransform::product, AxisTransform::fft})
    for (const auto half : {Axis<double>::Half::no, Axis<double>::Half::yes})
      for (const int size : {1, 2, 5, 8, 12, 13, 30, 64, 77})
        for (const int modes : {1, 2, 3, 4, 6, 7, size - 1, size})
          if (modes >= 1 && modes <= size && (modes % 2 == 0 || half == Axis<double>::Half::no)) {
            INFO("size " << size << ", modes " << modes << (half == Axis<double>::Half::yes ? ", half" : "")
                         << (transform == AxisTransform::fft ? ", fft" : ", product"));
            work(size, modes, half, transform);
          }
}

}  // namespace

TEST_CASE("Spectral axis: the frequencies that even and odd numbers of modes keep") {
  CHECK(Axis<double>(8, 4, Axis<double>::Half::no).frequencies() == std::vector<int>{-2, -1, 0, 1});
  CHECK(Axis<double>(9, 4, Axis<double>::Half::no).frequencies() == std::vector<int>{-2, -1, 0, 1});
  CHECK(Axis<double>(5, 5, Axis<double>::Half::no).frequencies() == std::vector<int>{-2, -1, 0, 1, 2});
  CHECK(Axis<double>(8, 8, Axis<double>::Half::yes).frequencies() == std::vector<int>{0, 1, 2, 3, 4});
  CHECK(Axis<double>(9, 4, Axis<double>::Half::yes).frequencies() == std::vector<int>{0, 1, 2});
}

TEST_CASE("Spectral axis: both transforms are the definition, for any size and number of modes") {
  for_cases([](int size, int modes, auto half, auto transform) {
    const Axis<double> axis(size, modes, half, transform);
    const auto space = test::normals<double>(static_cast<std::size_t>(axis.space_rows() * columns), 1);
    CHECK(test::relative_difference(analyse(axis, space, Axis<double>::Weights::mean),
                                    plain(axis, half == Axis<double>::Half::yes, space)) < test::tolerance::double_sum);
  });
}

TEST_CASE("Spectral axis: synthesis is the adjoint of analysis") {
  for_cases([](int size, int modes, auto half, auto transform) {
    const Axis<double> axis(size, modes, half, transform);
    const auto x = test::normals<double>(static_cast<std::size_t>(axis.space_rows() * columns), 1);
    const auto m = test::normals<double>(static_cast<std::size_t>(2 * axis.kept() * columns), 2);
    for (const auto weights : {Axis<double>::Weights::mean, Axis<double>::Weights::members}) {
      const auto ax = analyse(axis, x, weights), am = synthesise(axis, m, weights);
      double left = 0, right = 0, scale = 0;
      for (std::size_t i = 0; i < m.size(); ++i) left += ax[i] * m[i];
      for (std::size_t i = 0; i < x.size(); ++i) {
        right += x[i] * am[i];
        scale += std::abs(x[i] * am[i]);
      }
      CHECK(std::abs(left - right) <= test::tolerance::double_sum * scale);
    }
  });
}

TEST_CASE("Spectral axis: with every mode kept, synthesis undoes analysis, odd sizes too") {
  for (const auto transform : {AxisTransform::product, AxisTransform::fft})
    for (const int size : {2, 5, 8, 13, 30}) {
      const Axis<double> whole(size, size, Axis<double>::Half::no, transform);
      const auto x = test::normals<double>(static_cast<std::size_t>(2 * size * columns), 1);
      CHECK(test::relative_difference(
                synthesise(whole, analyse(whole, x, Axis<double>::Weights::mean), Axis<double>::Weights::members), x) <
            test::tolerance::double_sum);
      const Axis<double> half(size, size - size % 2, Axis<double>::Half::yes, transform);
      const std::vector<double> real(x.begin(), x.begin() + size * columns);
      CHECK(test::relative_difference(
                synthesise(half, analyse(half, real, Axis<double>::Weights::mean), Axis<double>::Weights::members), real) <
            test::tolerance::double_sum);
    }
}

TEST_CASE("Spectral axis: float is double to rounding") {
  for_cases([](int size, int modes, auto half, auto transform) {
    const Axis<double> exact(size, modes, half, transform);
    const Axis<float> axis(size, modes, static_cast<Axis<float>::Half>(half), transform);
    const auto x = test::normals<double>(static_cast<std::size_t>(exact.space_rows() * columns), 1);
    const auto given = analyse(axis, std::vector<float>(x.begin(), x.end()), Axis<float>::Weights::mean);
    const auto expected = analyse(exact, x, Axis<double>::Weights::mean);
    CHECK(test::relative_difference(given, expected) < test::tolerance::float_sum);
    CHECK(test::relative_difference(synthesise(axis, given, Axis<float>::Weights::members),
                                    synthesise(exact, expected, Axis<double>::Weights::members)) < test::tolerance::float_sum);
  });
}

TEST_CASE("Spectral axis: few of many modes are a product, whole long spectra a fast transform") {
  CHECK(Axis<float>(32, 12, Axis<float>::Half::no).transform() == AxisTransform::fft);
  CHECK(Axis<float>(36, 12, Axis<float>::Half::no).transform() == AxisTransform::product);  // threes are slow
  CHECK(Axis<float>(64, 16, Axis<float>::Half::yes).transform() == AxisTransform::product);
  CHECK(Axis<float>(64, 64, Axis<float>::Half::no).transform() == AxisTransform::fft);
  CHECK(Axis<float>(64, 64, Axis<float>::Half::yes).transform() == AxisTransform::fft);
  CHECK(Axis<float>(256, 256, Axis<float>::Half::yes).transform() == AxisTransform::fft);
  CHECK(Axis<float>(256, 256, Axis<float>::Half::no).transform() == AxisTransform::fft);
  CHECK(Axis<float>(257, 257, Axis<float>::Half::no).transform() == AxisTransform::product);  // a prime
}

TEST_CASE("Spectral axis: modes that the grid does not have are refused") {
  CHECK(test::message_of<ShapeError>([] { Axis<float>(6, 7, Axis<float>::Half::no); }) ==
        "spectral axis: 7 modes on 6 cells; expected 1 to 6");
  CHECK(test::message_of<ShapeError>([] { Axis<float>(6, 3, Axis<float>::Half::yes); }) ==
        "spectral axis: 3 modes on 6 cells; expected 1 to 6, an even number");
}
