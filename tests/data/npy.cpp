#include "lacuna/data/npy.hpp"

#include <limits>

#include "scratch.hpp"

using namespace lacuna;
using namespace lacuna::data;
using Catch::Matchers::Contains;

namespace {

template <class T>
void put_npy(const std::string& path, const std::string& dictionary, const std::vector<T>& values, int version = 1) {
  std::string bytes("\x93NUMPY", 6);
  bytes += {static_cast<char>(version), '\0', static_cast<char>(dictionary.size()), '\0'};
  if (version > 1) bytes += std::string(2, '\0');
  bytes += dictionary;
  bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
  put_content(path, bytes);
}

const std::vector<float> twelve = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};

}  // namespace

TEST_CASE("Floats and doubles of either order and version read the same") {
  const Scratch scratch;
  const std::string path = scratch / "a.npy";
  const int version = GENERATE(1, 2, 3);
  put_npy<float>(path, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2, 3), }\n", twelve, version);
  CHECK(read_npy_array(path).shape == std::vector<std::size_t>{2, 2, 3});
  CHECK(read_npy_array(path).values == twelve);
  put_npy<double>(path, "{'descr': '<f8', 'fortran_order': True, 'shape': (2, 2, 3), }\n", {0, 6, 3, 9, 1, 7, 4, 10, 2, 8, 5, 11},
                  version);
  CHECK(read_npy_array(path).values == twelve);
}

TEST_CASE("Fields come from three or four axes, NaN not observed") {
  const Scratch scratch;
  const std::string path = scratch / "a.npy";
  std::vector<float> values = twelve;
  values[7] = not_observed;
  write_npy(path, {2, 2, 3}, values);
  const Fields three = read_npy(path, {"sst"});
  CHECK(three.names == std::vector<std::string>{"sst"});
  CHECK(three.at(1, 1, 2, 0) == 11);
  CHECK_FALSE(three.observed(1, 0, 1, 0));
  CHECK_FALSE(three.grid.geographic);
  write_npy(path, {1, 2, 2, 3}, values, true);
  const Fields four = read_npy(path);
  CHECK(four.names == std::vector<std::string>{"v0", "v1", "v2"});
  CHECK(four.at(0, 1, 0, 2) == 8);
  CHECK(four.time == std::vector<double>{0});
}

TEST_CASE("Fields written read back") {
  const Scratch scratch;
  write_npy(scratch / "a.npy", {1, 2, 2, 3}, twelve);
  const Fields fields = read_npy(scratch / "a.npy");
  write_npy(scratch / "b.npy", fields);
  CHECK(content(scratch / "b.npy") == content(scratch / "a.npy"));
  CHECK(content(scratch / "b.npy").size() == 128 + 48);  // the data begin at a multiple of 64
}

TEST_CASE("Bad .npy files get one line that says what is wrong") {
  const Scratch scratch;
  const std::string path = scratch / "a.npy";
  const auto failure = [&] { return error_of([&] { read_npy(path); }); };
  const std::string good = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2, 3), }\n";
  CHECK(failure() == path + ": there is no such file");
  put_content(path, "PK\3\4 an archive");
  CHECK(failure() == path + ": is not a .npy file");
  put_npy<float>(path, good, twelve, 9);
  CHECK(failure() == path + ": .npy version 9 is not known");
  put_npy<float>(path, good, {1, 2});
  CHECK(failure() == path + ": is truncated: shape (2, 2, 3) of '<f4' needs more than its 8 bytes");
  put_npy<float>(path, "{'descr': '<f4', 'fortran_order': False, 'shape': (9000000000000, 9000000000000, 3), }\n", {1, 2});
  CHECK_THAT(failure(), Contains("is truncated"));
  put_npy<int>(path, "{'descr': '<i4', 'fortran_order': False, 'shape': (2, 2, 3), }\n", std::vector<int>(12));
  CHECK(failure() == path + ": dtype '<i4' is not supported, only '<f4' and '<f8' are");
  put_npy<float>(path, "{'descr': '>f4', 'fortran_order': False, 'shape': (2, 2, 3), }\n", twelve);
  CHECK_THAT(failure(), Contains("'>f4' is not supported"));
  put_npy<float>(path, "{'descr': '<f4', 'fortran_order': False, 'shape': (12,), }\n", twelve);
  CHECK(failure() == path + ": shape (12) is neither (time, rows, columns) nor (time, rows, columns, variables)");
  put_npy<float>(path, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 0, 3), }\n", twelve);
  CHECK_THAT(failure(), Contains("shape (2, 0, 3) has no elements"));
  for (const char* damaged : {"", "{}", "{'descr': '<f4', 'shape': (2, 2, 3)}", "{'descr': '<f4', 'fortran_order': False}",
                              "{'descr': '<f4', 'fortran_order': False, 'shape': (2, -2, 3), }"}) {
    put_npy<float>(path, damaged, twelve);
    CHECK_THAT(failure(), Contains(".npy header"));
  }
  put_npy<float>(path, "{'descr': '<f4',\n 'shape': (2, 2, 3), }\n", twelve);
  CHECK(failure() == path + ": the .npy header is damaged: {'descr': '<f4',  'shape': (2, 2, 3), }");
  put_npy<float>(path, "{'descr': 'a\nb', 'fortran_order': False, 'shape': (12,), }\n", twelve);
  CHECK(failure() == path + ": dtype 'a b' is not supported, only '<f4' and '<f8' are");
  put_npy<float>(path, good, std::vector<float>(12, std::numeric_limits<float>::infinity()));
  CHECK_THAT(failure(), Contains("variable v0 holds 12 infinite values, the first in frame 0, row 0, column 0"));
  put_npy<float>(path, good, std::vector<float>(12, not_observed));
  CHECK_THAT(failure(), Contains("all values are missing"));
}

TEST_CASE("A .npy file has 64 axes at most") {
  const Scratch scratch;
  const std::string path = scratch / "a.npy";
  const auto with_axes = [&](int count) {
    std::string sizes;
    for (int axis = 0; axis < count; ++axis) sizes += "1,";
    put_npy<float>(path, "{'descr':'<f4','fortran_order':True,'shape':(" + sizes + ")}", {5});
    return error_of([&] { read_npy_array(path); });
  };
  CHECK(with_axes(64).empty());
  CHECK(with_axes(65) == path + ": has more than 64 axes");
}

TEST_CASE("Writing keeps what is there unless told, and when the disk is full") {
  const Scratch scratch;
  const std::string path = scratch / "a.npy";
  put_content(path, "precious");
  CHECK_THAT(error_of([&] { write_npy(path, {12}, twelve); }), Contains("exists already"));
  {
    const FullDisk full(100);
    CHECK_THAT(error_of([&] { write_npy(path, {12}, twelve, true); }), Contains("cannot be written"));
  }
  CHECK(content(path) == "precious");
  CHECK_THROWS_AS(write_npy(path, {13}, twelve, true), ShapeError);
}
