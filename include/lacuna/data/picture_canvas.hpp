#pragma once

#include <png.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "lacuna/core/error.hpp"
#include "lacuna/data/atomic_file.hpp"
#include "lacuna/data/picture_font.hpp"

namespace lacuna::data {

struct Colour {
  std::uint8_t red = 0, green = 0, blue = 0;
  bool operator==(const Colour&) const = default;
};

/// @brief A perceptually ordered colour map: even steps of value are even steps of lightness; readable in grey and with
/// colour-blind eyes.
using ColourMap = std::array<Colour, 9>;

/// Anchors of viridis and magma (S. van der Walt and N. Smith, 2015, CC0).
inline constexpr ColourMap viridis = {{{68, 1, 84},
                                       {71, 44, 122},
                                       {59, 81, 139},
                                       {44, 113, 142},
                                       {33, 144, 141},
                                       {39, 173, 129},
                                       {92, 200, 99},
                                       {170, 220, 50},
                                       {253, 231, 37}}};
inline constexpr ColourMap magma = {{{0, 0, 4},
                                     {28, 16, 68},
                                     {79, 18, 123},
                                     {129, 37, 129},
                                     {181, 54, 122},
                                     {229, 80, 100},
                                     {251, 135, 97},
                                     {254, 194, 135},
                                     {252, 253, 191}}};

/// @brief The colour at `position` of a map, 0 = its first anchor, 1 = its last; clamped.
inline Colour colour_at(const ColourMap& map, double position) {
  const double at = std::clamp(position, 0.0, 1.0) * static_cast<double>(map.size() - 1);
  const auto i = std::min(static_cast<std::size_t>(at), map.size() - 2);
  const double w = at - static_cast<double>(i);
  const auto mix = [w](std::uint8_t a, std::uint8_t b) { return static_cast<std::uint8_t>(std::lround(a + w * (b - a))); };
  return {mix(map[i].red, map[i + 1].red), mix(map[i].green, map[i + 1].green), mix(map[i].blue, map[i + 1].blue)};
}

/// @brief An RGB image to draw on; what lies outside is dropped.
class Canvas {
 public:
  Canvas(int width, int height, Colour background = {255, 255, 255})
      : width_(width), height_(height), pixels_(static_cast<std::size_t>(width) * static_cast<std::size_t>(height), background) {}

  int width() const { return width_; }
  int height() const { return height_; }
  Colour at(int x, int y) const {
    return pixels_[static_cast<std::size_t>(y) * static_cast<std::size_t>(width_) + static_cast<std::size_t>(x)];
  }

  void set(int x, int y, Colour c) {
    if (x < 0 || y < 0 || x >= width_ || y >= height_) return;
    pixels_[static_cast<std::size_t>(y) * static_cast<std::size_t>(width_) + static_cast<std::size_t>(x)] = c;
  }
  void fill(int x, int y, int width, int height, Colour c) {
    for (int row = y; row < y + height; ++row) {
      for (int column = x; column < x + width; ++column) set(column, row, c);
    }
  }
  /// The outline just outside a rectangle.
  void frame(int x, int y, int width, int height, Colour c) {
    fill(x - 1, y - 1, width + 2, 1, c);
    fill(x - 1, y + height, width + 2, 1, c);
    fill(x - 1, y - 1, 1, height + 2, c);
    fill(x + width, y - 1, 1, height + 2, c);
  }
  /// Text with its top left corner at (x, y), each dot of the font `size` pixels wide.
  void write(int x, int y, const std::string& words, Colour c, int size = 2) {
    for (char letter : words) {
      const auto& columns = glyph(letter);
      for (int column = 0; column < glyph_width; ++column) {
        for (int row = 0; row <= glyph_height; ++row) {
          if (columns[static_cast<std::size_t>(column)] >> row & 1) fill(x + column * size, y + row * size, size, size, c);
        }
      }
      x += (glyph_width + 1) * size;
    }
  }

  /// Throws DataError if the file cannot be written; an existing one is replaced whole or not at all.
  void save(const std::string& path, Existing existing = Existing::replaced) const {
    png_image image{};
    image.version = PNG_IMAGE_VERSION;
    image.width = static_cast<png_uint_32>(width_);
    image.height = static_cast<png_uint_32>(height_);
    image.format = PNG_FORMAT_RGB;
    static_assert(sizeof(Colour) == 3, "pixels are three bytes");
    png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
    std::vector<std::byte> bytes(size);
    const bool good = png_image_write_to_memory(&image, bytes.data(), &size, 0, pixels_.data(), 0, nullptr) != 0;
    png_image_free(&image);
    require<DataError>(good, path, ": the picture cannot be encoded: ", image.message);
    write_atomically(path, {std::span<const std::byte>(bytes).first(size)}, existing);
  }

  static int text_width(const std::string& words, int size = 2) {
    return static_cast<int>(words.size()) * (glyph_width + 1) * size;
  }

 private:
  int width_, height_;
  std::vector<Colour> pixels_;
};

}  // namespace lacuna::data
