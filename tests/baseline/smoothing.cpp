#include "lacuna/baseline/smoothing.hpp"

#include <numeric>

#include "catch.hpp"

using lacuna::baseline::GaussianFilter;

TEST_CASE("Gaussian: weights by hand, zeros beyond edges, round the seam if periodic") {
  std::vector<float> in(9, 0.0f), out(9);
  in[0] = 1;
  double sum = 1;
  for (int i = 1; i <= 2; ++i) sum += 2 * std::exp(-0.5 * i * i / 0.25);
  const double centre = 1 / sum;  // the filter is separable; rows have one cell
  GaussianFilter(1, 9, false, 0.5)(in.data(), out.data());
  CHECK(out[0] == Approx(centre * centre));
  CHECK(out[1] == Approx(centre * centre * std::exp(-2.0)));
  CHECK(out[8] == 0);
  GaussianFilter(1, 9, true, 0.5)(in.data(), out.data());
  CHECK(out[8] == Approx(out[1]));
}

TEST_CASE("Gaussian: keeps sums inside, works in place, and a tiny width changes nothing") {
  std::vector<float> in(21 * 21, 0.0f), out(in.size());
  in[10 * 21 + 10] = 5;
  GaussianFilter(21, 21, false, 1.5)(in.data(), out.data());
  CHECK(std::accumulate(out.begin(), out.end(), 0.0) == Approx(5));
  CHECK(out[10 * 21 + 8] == Approx(out[12 * 21 + 10]));
  std::vector<float> same = in;
  GaussianFilter(21, 21, false, 1.5)(same.data(), same.data());
  CHECK(same == out);
  GaussianFilter(21, 21, false, 0.1)(in.data(), out.data());
  CHECK(in == out);
}
