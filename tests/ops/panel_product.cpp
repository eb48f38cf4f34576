#include "lacuna/ops/panel_product.hpp"

#include "catch.hpp"
#include "support/compare.hpp"
#include "support/fill.hpp"
#include "support/tolerances.hpp"

using namespace lacuna;
using ops::Into;

namespace {

std::size_t at(std::ptrdiff_t i, std::ptrdiff_t j, std::ptrdiff_t row) { return static_cast<std::size_t>(i * row + j); }

template <class T>
void check(const ops::ProductExtents& n, bool transposed, Into into, double tolerance) {
  const auto a_row = (transposed ? n.rows : n.depth) + 3, b_row = n.columns + 5, c_row = n.columns + 2;
  const auto a = test::normals<T>(at(transposed ? n.depth : n.rows, 0, a_row), 1), b = test::normals<T>(at(n.depth, 0, b_row), 2),
             before = test::normals<T>(at(n.rows, 0, c_row), 3);
  test::Guarded<T> c(before);
  const ops::Strided<const T> left{a.data(), a_row};
  ops::panel_product(transposed ? left.transposed() : left, {b.data(), b_row}, {c.data(), c_row}, n, into);
  std::vector<double> expected(before.begin(), before.end());
  for (std::ptrdiff_t i = 0; i < n.rows; ++i)
    for (std::ptrdiff_t j = 0; j < n.columns; ++j) {
      double sum = 0;
      for (std::ptrdiff_t k = 0; k < n.depth; ++k)
        sum +=
            static_cast<double>(transposed ? a[at(k, i, a_row)] : a[at(i, k, a_row)]) * static_cast<double>(b[at(k, j, b_row)]);
      double& to = expected[at(i, j, c_row)];
      to = into == Into::overwritten ? sum : into == Into::added ? to + sum : to - sum;
    }
  INFO(n.rows << " x " << n.depth << " x " << n.columns);
  CHECK(test::relative_difference(c.content(), expected) < tolerance);
  CHECK(c.intact());
}

}  // namespace

TEST_CASE("Panel product: by hand") {
  const float a[] = {1, 2, 3, 4}, b[] = {5, 6, 7, 8};
  float c[] = {0, 0, 0, 0};
  ops::panel_product({a, 2}, {b, 2}, {c, 2}, {2, 2, 2});
  CHECK((c[0] == 19 && c[1] == 22 && c[2] == 43 && c[3] == 50));
  ops::panel_product(ops::Strided<const float>{a, 2}.transposed(), {b, 2}, {c, 2}, {2, 2, 2}, Into::subtracted);
  CHECK((c[0] == -7 && c[1] == -8 && c[2] == 5 && c[3] == 6));
}

TEST_CASE("Panel product: equals the plain sum for any extents, strides and ways to combine, and touches nothing else") {
  for (const std::ptrdiff_t rows : {1, 7, 18})
    for (const std::ptrdiff_t columns : {1, 16, 31, 33, 48, 64})
      for (const std::ptrdiff_t depth : {1, 33, 257})
        for (const bool transposed : {false, true})
          for (const auto into : {Into::overwritten, Into::added, Into::subtracted}) {
            check<float>({rows, columns, depth}, transposed, into, test::tolerance::float_sum);
            check<double>({rows, columns, depth}, transposed, into, test::tolerance::double_sum);
          }
}

TEST_CASE("Panel product: a NaN stays in its row and column") {
  std::vector<float> a(9 * 4, 1.0f), b(4 * 20, 1.0f), c(9 * 20);
  a[5 * 4 + 1] = test::nan<float>;
  b[2 * 20 + 18] = test::nan<float>;
  ops::panel_product({a.data(), 4}, {b.data(), 20}, {c.data(), 20}, {9, 20, 4});
  for (std::size_t i = 0; i < c.size(); ++i) CHECK(std::isnan(c[i]) == (i / 20 == 5 || i % 20 == 18));
}
