#include "lacuna/data/picture.hpp"

#include "lacuna/data/field.hpp"
#include "scratch.hpp"

using namespace lacuna;
using namespace lacuna::data;

namespace {

constexpr float missing = not_observed;

/// 2 x 3 cells: the first a gap that was filled, the last never observed.
Picture small() {
  return {.title = "title",
          .height = 2,
          .width = 3,
          .rows = {{"frame 0", "v", {missing, 1, 2, 3, 4, missing}, {0, 1, 2, 3, 4, missing}, {0.5F, 0, 0, 0, 0, missing}}}};
}

constexpr int zoom = 320 / 3;
constexpr int top = picture::margin + 3 * picture::line + 8;  // below the title, the headings and the label

}  // namespace

TEST_CASE("Gaps are hatched in the input, what stays missing is plain grey, and values follow the map") {
  const Canvas c = draw_picture(small());
  const auto input = [&](int row, int column, int dot) {
    return c.at(picture::margin + column * zoom + dot, top + row * zoom + 7);
  };
  int hatched = 0, plain = 0;
  for (int dot = 0; dot < 60; ++dot) {
    hatched += input(0, 0, dot) == picture::hatch ? 1 : 0;
    plain += input(1, 2, dot) == picture::grey ? 1 : 0;
  }
  CHECK(hatched == 20);
  CHECK(plain == 60);
  CHECK(input(1, 1, 5) == viridis.back());
  const int filled = picture::margin + 3 * zoom + picture::gap;
  CHECK(c.at(filled + 5, top + 5) == viridis.front());
  CHECK(c.at(filled + 2 * zoom + 5, top + zoom + 5) == picture::grey);
}

TEST_CASE("North is up when rows go northwards") {
  Picture p = small();
  p.first_row_south = true;
  const Canvas c = draw_picture(p);
  CHECK(c.at(picture::margin + zoom + 5, top + 5) == viridis.back());  // value 4, in the second row
}

TEST_CASE("The colours' range ignores outliers, gaps and a lack of variation") {
  std::vector<float> values(1000, missing);
  for (std::size_t i = 0; i < 500; ++i) values[i] = static_cast<float>(i);
  values[0] = -1e9F;
  const auto range = picture::robust_range(values, 0.01, 0.99);
  CHECK(range.low == 5);
  CHECK(range.high == 494);
  const auto flat = picture::robust_range({2, 2, 2}, 0.01, 0.99);
  CHECK(flat.low < 2);
  CHECK(flat.high > 2);
  const auto none = picture::robust_range({missing}, 0.01, 0.99);
  CHECK(none.low < none.high);
  const auto zero = picture::robust_range({0, 0}, 0.01, 0.99);
  CHECK(std::isfinite(zero.position(0)));
}

TEST_CASE("Numbers beside a bar have the decimals its range needs") {
  CHECK(picture::number(101325, {98000, 104000}) == "101325");
  CHECK(picture::number(271.83, {245, 298}) == "271.8");
  CHECK(picture::number(0.45, {0, 0.9}) == "0.450");
  CHECK(picture::number(2.5e7, {0, 3e7}) == "2.5e+07");
  CHECK(picture::number(1.5e-5, {0, 2e-5}) == "1.5e-05");
}

TEST_CASE("Panels are of a readable size whatever the grid") {
  for (int cells : {1, 7, 36, 100, 101, 144, 180, 399, 401, 5000}) {
    const picture::PanelSize size(cells, cells);
    INFO(cells << " cells");
    CHECK(size.width >= 200);
    CHECK(size.width <= 400);
  }
}

TEST_CASE("A plane is taken from values with interleaved variables") {
  const std::vector<float> values = {0, 10, 1, 11, 2, 12, 3, 13};  // two frames, two cells, two variables
  CHECK(plane_of(values, 2, 2, 1, 1) == std::vector<float>{12, 13});
}

TEST_CASE("The file is a PNG of the canvas' size; bad planes and full disks are errors") {
  const Scratch scratch;
  const std::string path = scratch / "p.png";
  put_content(path, "precious");
  {
    const FullDisk full(100);
    CHECK_THAT(error_of([&] { write_picture(path, small()); }), Catch::Matchers::Contains("cannot be written: File too large"));
  }
  CHECK(content(path) == "precious");
  write_picture(path, small());
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  REQUIRE(png_image_begin_read_from_file(&image, path.c_str()) != 0);
  const Canvas c = draw_picture(small());
  CHECK(static_cast<int>(image.width) == c.width());
  CHECK(static_cast<int>(image.height) == c.height());
  png_image_free(&image);
  CHECK(scratch.entries() == 1);

  Picture bad = small();
  bad.rows[0].spread.pop_back();
  CHECK(error_of([&] { write_picture(path, bad); }) == "picture: row frame 0 has planes of 6, 6 and 5 values, expected 2 x 3");
  bad.rows.clear();
  CHECK_THROWS_AS(write_picture(path, bad), ShapeError);
}
