#pragma once

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "lacuna/core/error.hpp"

namespace lacuna::baseline {

/// @brief A point of the integer lattice.
struct LatticePoint {
  int y, x;
  bool operator==(const LatticePoint&) const = default;
};

/// @brief Twice the area of (a, b, c), positive if they turn counter-clockwise (x right, y up). Exact.
inline std::int64_t twice_area(const LatticePoint& a, const LatticePoint& b, const LatticePoint& c) {
  return std::int64_t{b.x - a.x} * (c.y - a.y) - std::int64_t{b.y - a.y} * (c.x - a.x);
}

/// @brief Whether d lies inside the circle through a, b, c (counter-clockwise), not on it. Exact.
inline bool in_circle(const LatticePoint& a, const LatticePoint& b, const LatticePoint& c, const LatticePoint& d) {
  __extension__ using Wide = __int128;  // coordinates to the fourth power
  const auto lift = [&d](const LatticePoint& p) {
    const std::int64_t x = p.x - d.x, y = p.y - d.y;
    return std::array<std::int64_t, 3>{x, y, x * x + y * y};
  };
  const auto p = lift(a), q = lift(b), r = lift(c);
  return Wide(p[2]) * (q[0] * r[1] - q[1] * r[0]) + Wide(q[2]) * (r[0] * p[1] - r[1] * p[0]) +
             Wide(r[2]) * (p[0] * q[1] - p[1] * q[0]) >
         0;
}

/// @brief Delaunay triangulation of lattice points: no point lies inside the circle of a triangle.
///
/// Points are added row by row, so each lies outside the hull of those before it: it is joined to the edges that it sees, and
/// edges are flipped until all circles are empty. Arithmetic is exact. Of four points on a circle either diagonal may be taken.
/// Cost: about n log n for scattered points      Throws: OptionError unless points come in order of rows, then columns, each once
/// Source: Lawson, in Mathematical Software III, 1977 (flips)
class Delaunay {
 public:
  explicit Delaunay(std::vector<LatticePoint> points) : points_(std::move(points)) {
    for (std::size_t i = 1; i < points_.size(); ++i) {
      const LatticePoint &a = points_[i - 1], &b = points_[i];
      require<OptionError>(a.y < b.y || (a.y == b.y && a.x < b.x), "Delaunay: point (", b.y, ", ", b.x, ") comes after (", a.y,
                           ", ", a.x, "); expected points in order of rows, then columns");
    }
    const auto n = static_cast<int>(points_.size());
    int first = 2;  // that does not lie on the line of those before it
    while (first < n && twice_area(point(0), point(1), point(first)) == 0) ++first;
    if (first >= n) return;
    hull_.resize(points_.size());
    fan(first);
    for (int p = first + 1; p < n; ++p) add(p);
  }

  /// Counter-clockwise corners of each triangle, as numbers of points. None if all points lie on one line.
  std::vector<std::array<int, 3>> triangles() const {
    std::vector<std::array<int, 3>> result;
    for (std::size_t e = 0; e < origin_.size(); e += 3) result.push_back({origin_[e], origin_[e + 1], origin_[e + 2]});
    return result;
  }
  const std::vector<LatticePoint>& points() const { return points_; }

 private:
  /// Neighbours of a corner of the hull, counter-clockwise, and the edge that leads to the next.
  struct Corner {
    int before = -1, after = -1, edge = -1;
  };

  const LatticePoint& point(int i) const { return points_[static_cast<std::size_t>(i)]; }
  int origin(int edge) const { return origin_[static_cast<std::size_t>(edge)]; }
  int twin(int edge) const { return twin_[static_cast<std::size_t>(edge)]; }
  Corner& corner(int i) { return hull_[static_cast<std::size_t>(i)]; }
  static int next(int edge) { return edge % 3 == 2 ? edge - 2 : edge + 1; }

  /// A triangle of edges e: a to b, e + 1: b to c, e + 2: c to a. Returns e.
  int add_triangle(int a, int b, int c) {
    const auto e = static_cast<int>(origin_.size());
    origin_.insert(origin_.end(), {a, b, c});
    twin_.insert(twin_.end(), {-1, -1, -1});
    return e;
  }
  /// Makes two edges each other's twin; an edge without one is the hull's.
  void link(int edge, int other) {
    twin_[static_cast<std::size_t>(edge)] = other;
    if (other >= 0)
      twin_[static_cast<std::size_t>(other)] = edge;
    else
      corner(origin(edge)).edge = edge;
  }
  void join(int a, int b) {
    corner(a).after = b;
    corner(b).before = a;
  }

  /// Triangles from points 0 .. apex - 1, which lie on a line, to the apex.
  void fan(int apex) {
    const bool left = twice_area(point(0), point(1), point(apex)) > 0;
    int before = -1;  // the side of the last triangle that the next one shares
    for (int i = 0; i + 1 < apex; ++i) {
      const int e = left ? add_triangle(i, i + 1, apex) : add_triangle(i + 1, i, apex);
      link(e, -1);
      link(left ? e + 2 : e + 1, before);
      before = left ? e + 1 : e + 2;
      if (left)
        join(i, i + 1);
      else
        join(i + 1, i);
    }
    link(before, -1);
    if (left) {
      join(apex - 1, apex);
      join(apex, 0);
    } else {
      join(apex, apex - 1);
      join(0, apex);
    }
  }

  /// Whether p sees the hull's edge from a to b from outside.
  bool sees(int p, int a, int b) const { return twice_area(point(a), point(b), point(p)) < 0; }

  void add(int p) {
    int from = p - 1;  // the last point is a corner of the hull, and seen
    while (sees(p, corner(from).before, from)) from = corner(from).before;
    int to = from, side = -1;
    while (sees(p, to, corner(to).after)) {
      const int after = corner(to).after, e = add_triangle(after, to, p);
      link(e, corner(to).edge);
      link(e + 1, side);
      side = e + 2;
      unchecked_.push_back(e);
      to = after;
    }
    link(side, -1);
    join(from, p);
    join(p, to);
    flip_until_empty();
  }

  void flip_until_empty() {
    while (!unchecked_.empty()) {
      const int e = unchecked_.back(), f = twin(e);
      unchecked_.pop_back();
      if (f < 0) continue;
      // e goes from u to v with corner p on its left; f back, with corner q.
      const int to_p = next(e), from_p = next(to_p), to_q = next(f), from_q = next(to_q);
      const int u = origin(e), v = origin(f), p = origin(from_p), q = origin(from_q);
      if (!in_circle(point(u), point(v), point(p), point(q))) continue;
      origin_[static_cast<std::size_t>(e)] = q;  // now from q to v, and f from p to u; p and q are joined
      origin_[static_cast<std::size_t>(f)] = p;
      link(e, twin(from_q));
      link(f, twin(from_p));
      link(from_p, from_q);
      unchecked_.push_back(e);
      unchecked_.push_back(to_q);
    }
  }

  std::vector<LatticePoint> points_;
  std::vector<int> origin_, twin_;  // of each edge; -1: the hull's
  std::vector<Corner> hull_;        // by point; only those of the hull are kept up to date
  std::vector<int> unchecked_;      // edges whose circles may hold the point added last
};

}  // namespace lacuna::baseline
