#include "lacuna/ops/tile_product.hpp"

#include "catch.hpp"
#include "support/compare.hpp"
#include "support/fill.hpp"
#include "support/tolerances.hpp"

using namespace lacuna;

namespace {

/// c = a b (+ c) in double, by the definition.
template <class T>
std::vector<double> plain_product(const ops::TileProduct<T>& p, const std::vector<T>& before) {
  std::vector<double> c;
  for (int i = 0; i < p.rows; ++i)
    for (int j = 0; j < p.columns; ++j) {
      double sum = p.accumulate ? static_cast<double>(before[static_cast<std::size_t>(i * p.columns + j)]) : 0;
      for (int k = 0; k < p.inner; ++k)
        sum += static_cast<double>(p.a[i * p.a_row + k * p.a_inner]) * static_cast<double>(p.b[k * p.b_row + j]);
      c.push_back(sum);
    }
  return c;
}

template <class T>
void check(int rows, int inner, int columns, bool transposed, bool accumulate, double tolerance) {
  const auto size = [](int a, int b) { return static_cast<std::size_t>(a * b); };
  const auto a = test::normals<T>(size(rows, inner), 1), b = test::normals<T>(size(inner, columns + 3), 2),
             before = test::normals<T>(size(rows, columns), 3);
  test::Guarded<T> c(before);
  const ops::TileProduct<T> product{
      a.data(),  transposed ? 1 : inner, transposed ? rows : 1, b.data(), columns + 3, c.data(), columns, rows, inner, columns,
      accumulate};
  const auto expected = plain_product(product, before);
  ops::tile_product(product);
  INFO(rows << " x " << inner << " x " << columns);
  CHECK(test::relative_difference(c.content(), expected) < tolerance);
  CHECK(c.intact());
}

}  // namespace

TEST_CASE("Tile product: by hand") {
  const double a[] = {1, 2, 3, 4}, b[] = {5, 6, 7, 8};
  double c[4] = {1, 1, 1, 1};
  ops::tile_product<double>({a, 2, 1, b, 2, c, 2, 2, 2, 2, true});
  CHECK(std::vector<double>(c, c + 4) == std::vector<double>{20, 23, 44, 51});
  ops::tile_product<double>({a, 1, 2, b, 2, c, 2, 2, 2, 2});  // the transpose of a
  CHECK(std::vector<double>(c, c + 4) == std::vector<double>{26, 30, 38, 44});
}

TEST_CASE("Tile product: any extents and strides, sixteen columns at once or one, agree with the definition") {
  for (const int rows : {1, 3, 4, 33})
    for (const int inner : {1, 7, 64})
      for (const int columns : {1, 5, 16, 31, 48, 112, 192})
        for (const bool transposed : {false, true})
          for (const bool accumulate : {false, true}) {
            check<float>(rows, inner, columns, transposed, accumulate, test::tolerance::float_sum);
            check<double>(rows, inner, columns, transposed, accumulate, test::tolerance::double_sum);
          }
}

TEST_CASE("Tile product: NaN stays in its row and column") {
  std::vector<float> a(5 * 3, 1.0f), b(3 * 16, 1.0f), c(5 * 16);
  a[2 * 3 + 1] = test::nan<float>;
  ops::tile_product<float>({a.data(), 3, 1, b.data(), 16, c.data(), 16, 5, 3, 16});
  for (std::size_t i = 0; i < c.size(); ++i) CHECK(std::isnan(c[i]) == (i / 16 == 2));
}

TEST_CASE("Transposing a tile scales it") {
  const std::vector<double> from{1, 2, 3, 4, 5, 6};
  std::vector<double> to(8, 0.0);
  ops::transpose_tile(from.data(), 3, to.data(), 2, 2, 3, 10.0);
  CHECK(to == std::vector<double>{10, 40, 20, 50, 30, 60, 0, 0});
}
