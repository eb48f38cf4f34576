#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "lacuna/core/error.hpp"
#include "lacuna/mask/policy.hpp"

namespace lacuna::mask {

struct EmpiricalOptions {
  bool shift = true;    ///< move the donor's mask in x: cyclic if the grid is periodic, else cells from outside count as observed
  bool flip_x = true;   ///< mirror the donor's mask east-west in half of the draws
  bool flip_y = false;  ///< mirror it north-south in half of the draws
  int attempts = 16;    ///< draws before an empty context or query is accepted
};

/// @brief The gaps of another window are laid over a sample: context = M M', query = M (1 - M'). For gaps of any shape.
///
/// M' is one plane per group of the donor window; all groups of a sample take the same donor and the same shift and flip, so
/// that the joint structure of frames and variables is kept where the groups of both match. Static cells (not in `live`, by
/// default those never observed in any donor) count as observed in M'. Copies share the donors. Throws: OptionError if the
/// donors' masks are all equal, for nothing would ever be queried.
class Empirical {
  struct Donor {
    std::size_t first = 0;  ///< its first plane in `planes`
    int groups = 0;
  };
  struct Donors {
    int height = 0, width = 0;
    bool periodic_x = false;
    std::vector<Donor> windows;        ///< donors with at least one gap
    std::vector<std::uint8_t> planes;  ///< (P, H, W)
  };

 public:
  explicit Empirical(std::span<const Window> donors, EmpiricalOptions options = {}, std::span<const std::uint8_t> live = {})
      : options_(options) {
    require<OptionError>(options.attempts >= 1, "Empirical: ", options.attempts, " attempts, expected at least 1");
    require<OptionError>(!donors.empty(), "Empirical: no masks to transplant");
    auto made = std::make_shared<Donors>();
    const Masks& m = donors.front().masks;
    made->height = m.height;
    made->width = m.width;
    made->periodic_x = m.periodic_x;
    std::vector<std::uint8_t> ever(m.frame_size(), 0);
    for (const Window& w : donors) {
      require<ShapeError>(w.masks.height == m.height && w.masks.width == m.width && w.masks.variables == m.variables,
                          "Empirical: a donor of ", w.masks.height, " x ", w.masks.width, " x ", w.masks.variables,
                          " cells, expected ", m.height, " x ", m.width, " x ", m.variables);
      const std::vector<std::uint8_t> seen = ever_observed(w.masks);
      for (std::size_t i = 0; i < ever.size(); ++i) ever[i] |= seen[i];
    }
    require<ShapeError>(live.empty() || live.size() == ever.size(), "Empirical: ", live.size(), " bytes of live cells, expected ",
                        ever.size());
    for (const Window& w : donors) add(w, live.empty() ? std::span<const std::uint8_t>(ever) : live, *made);
    refuse_equal(*made);
    drop_complete(*made);
    donors_ = std::move(made);
  }

  struct Draw {
    static constexpr bool same_in_group() { return true; }

    const std::uint8_t* planes = nullptr;  ///< (G, H, W) of the donor
    int groups = 1, height = 0, width = 0, shift = 0;
    bool periodic_x = false, flip_x = false, flip_y = false;

    bool in_context(Cell c) const {
      const int y = flip_y ? height - 1 - c.y : c.y;
      int x = (flip_x ? width - 1 - c.x : c.x) - shift;
      if (periodic_x) x += x < 0 ? width : 0;
      if (x < 0 || x >= width) return true;
      return planes[(static_cast<std::size_t>(c.group % groups) * static_cast<std::size_t>(height) +
                     static_cast<std::size_t>(y)) *
                        static_cast<std::size_t>(width) +
                    static_cast<std::size_t>(x)] != 0;
    }
    bool in_query(Cell c) const { return !in_context(c); }
  };

  Draw draw(PhiloxKey key, std::uint64_t sample, const Window& window) const {
    const Donors& from = *donors_;
    require<ShapeError>(window.masks.height == from.height && window.masks.width == from.width, "Empirical: a window of ",
                        window.masks.height, " x ", window.masks.width, " cells, donors of ", from.height, " x ", from.width);
    Draw d;
    for (int attempt = 0; attempt < options_.attempts; ++attempt) {
      const PhiloxBlock words = philox(key, sample, sample_position(static_cast<std::uint64_t>(attempt)));
      const Donor& donor = from.windows[static_cast<std::size_t>(uniform_below(words[0], static_cast<int>(from.windows.size())))];
      d = {.planes = from.planes.data() + donor.first * plane_size(from),
           .groups = donor.groups,
           .height = from.height,
           .width = from.width,
           .shift = 0,
           .periodic_x = from.periodic_x,
           .flip_x = options_.flip_x && (words[2] & 1u) != 0,
           .flip_y = options_.flip_y && (words[2] & 2u) != 0};
      if (options_.shift)
        d.shift = from.periodic_x ? uniform_below(words[1], from.width)
                                  : uniform_below(words[1], 2 * (from.width / 2) + 1) - from.width / 2;
      if (splits(d, window)) break;
    }
    return d;
  }

  const EmpiricalOptions& options() const { return options_; }
  /// Donor windows that have a gap.
  int donors() const { return static_cast<int>(donors_->windows.size()); }

 private:
  static std::size_t plane_size(const Donors& d) {
    return static_cast<std::size_t>(d.height) * static_cast<std::size_t>(d.width);
  }

  /// Appends a window's planes, one per group; a cell takes the first member of the group in which it is not static.
  static void add(const Window& w, std::span<const std::uint8_t> live, Donors& out) {
    if (w.groups.count == 0) return;
    const Masks& m = w.masks;
    const std::size_t first = out.planes.size() / plane_size(out);
    out.windows.push_back({first, w.groups.count});
    out.planes.resize(out.planes.size() + plane_size(out) * static_cast<std::size_t>(w.groups.count), 1);
    std::vector<std::uint8_t> known(plane_size(out) * static_cast<std::size_t>(w.groups.count), 0);
    for (int t = 0; t < m.frames; ++t)
      for (int v = 0; v < m.variables; ++v) {
        if (w.group(t, v) < 0) continue;
        const std::size_t base = static_cast<std::size_t>(w.group(t, v)) * plane_size(out);
        for (std::size_t i = 0; i < m.cells(); ++i) {
          const std::size_t at = i * static_cast<std::size_t>(m.variables) + static_cast<std::size_t>(v);
          if (known[base + i] || !live[at]) continue;
          known[base + i] = 1;
          out.planes[first * plane_size(out) + base + i] = m.observed[m.frame_size() * static_cast<std::size_t>(t) + at] != 0;
        }
      }
  }

  static void refuse_equal(const Donors& d) {
    const auto size = static_cast<std::ptrdiff_t>(plane_size(d));
    bool equal = true;
    for (auto plane = d.planes.begin(); equal && plane != d.planes.end(); plane += size)
      equal = std::equal(plane, plane + size, d.planes.begin());
    require<OptionError>(!equal, "empirical contexts: all masks are equal, so no gap can be transplanted; hide pixels or blocks");
  }

  static void drop_complete(Donors& d) {
    std::erase_if(d.windows, [&](const Donor& donor) {
      const auto begin = d.planes.begin() + static_cast<std::ptrdiff_t>(donor.first * plane_size(d));
      const auto end = begin + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(donor.groups) * plane_size(d));
      return std::find(begin, end, std::uint8_t{0}) == end;
    });
  }

  /// Whether neither context nor query is empty.
  static bool splits(const Draw& d, const Window& w) {
    const Masks& m = w.masks;
    bool context = false, query = false;
    for (int t = 0; t < m.frames; ++t)
      for (int y = 0; y < m.height; ++y)
        for (int x = 0; x < m.width; ++x)
          for (int v = 0; v < m.variables; ++v) {
            if (!m.at(t, y, x, v)) continue;
            (d.in_context({t, y, x, v, w.group(t, v)}) ? context : query) = true;
            if (context && query) return true;
          }
    return false;
  }

  EmpiricalOptions options_;
  std::shared_ptr<const Donors> donors_;
};
static_assert(MaskPolicy<Empirical>);

}  // namespace lacuna::mask
