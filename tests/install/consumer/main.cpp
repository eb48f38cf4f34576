#include <netcdf.h>

#include <Eigen/Core>
#include <iostream>
#include <lacuna/core/parallel.hpp>
#include <lacuna/core/shape.hpp>

int main() {
  const lacuna::Shape shape{.batch = 2, .height = 3, .width = 4};
  Eigen::VectorXi parts = Eigen::VectorXi::Zero(8);
  lacuna::parallel_for(2, 8, [&](int part) { parts[part] = 1; });
  std::cout << "shape " << shape << ", netCDF " << nc_inq_libvers() << '\n';
  return shape.size() == 24 && parts.sum() == 8 ? 0 : 1;
}
