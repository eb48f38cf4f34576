#include "lacuna/ops/matrix_product.hpp"

#include "catch.hpp"
#include "support/compare.hpp"
#include "support/fill.hpp"
#include "support/tolerances.hpp"

using namespace lacuna;

namespace {

template <class T>
using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

template <class T>
Matrix<T> random(int rows, int columns, std::uint64_t stream) {
  const auto values = test::normals<T>(static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns), stream);
  return Eigen::Map<const Matrix<T>>(values.data(), rows, columns);
}

template <class T>
std::vector<T> flat(const Matrix<T>& m) {
  return {m.data(), m.data() + m.size()};
}

template <class T>
void check(int rows, int depth, int columns, double tolerance) {
  const auto a = random<T>(rows, depth, 1), b = random<T>(depth, columns, 2), c = random<T>(rows, columns, 3);
  Matrix<double> expected = c.template cast<double>();
  for (int i = 0; i < rows; ++i)
    for (int k = 0; k < depth; ++k)
      for (int j = 0; j < columns; ++j) expected(i, j) += static_cast<double>(a(i, k)) * static_cast<double>(b(k, j));
  Matrix<T> sum = c, transposed = c, product = Matrix<T>::Constant(rows, columns, test::nan<T>);
  ops::add_product(a, b, sum);
  const Matrix<T> at = a.transpose(), bt = b.transpose();
  ops::add_product(at.transpose(), bt.transpose(), transposed);
  ops::set_product(a, b, product);
  INFO(rows << " x " << depth << " x " << columns);
  CHECK(test::relative_difference(flat<T>(sum), flat(expected)) < tolerance);
  CHECK(test::relative_difference(flat<T>(transposed), flat(expected)) < tolerance);
  CHECK(test::relative_difference(flat<T>(product + c), flat(expected)) < tolerance);
}

}  // namespace

TEST_CASE("Matrix product: by hand") {
  Matrix<float> a(2, 2), b(2, 1), c(2, 1);
  a << 1, 2, 3, 4;
  b << 5, 6;
  c << 100, 200;
  ops::add_product(a, b, c);
  CHECK((c(0, 0) == 117 && c(1, 0) == 239));
  ops::set_product(a, b, c);
  CHECK((c(0, 0) == 17 && c(1, 0) == 39));
}

TEST_CASE("Matrix product: agrees with the definition below, at and beyond one tile") {
  for (const int rows : {1, 31, 128, 131})
    for (const int depth : {1, 33, 256, 300})
      for (const int columns : {1, 31, 129}) {
        check<float>(rows, depth, columns, test::tolerance::float_sum);
        check<double>(rows, depth, columns, test::tolerance::double_sum);
      }
}
