#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lacuna/core/arena.hpp"

namespace lacuna {

/// @brief What an op moves to and from memory at least: each of its tensors read or written once, parameters not counted.
struct Traffic {
  std::size_t forward = 0, backward = 0;
};

/// @brief Time, traffic and memory of the ops of some steps. An ordinary object, watched by the graphs it is given to.
///
/// Ops name themselves (Graph::op()), and their backward closures carry that name. At any moment of a step one row is charged, so
/// the rows' times add up to the steps' wall time; an op that runs inside another is charged alone. Names are string literals.
/// Once every op has run, nothing is allocated. Not thread-safe: told by the thread that issues the ops.
class Profile {
 public:
  struct Row {
    std::string_view name;
    std::size_t calls = 0;             ///< forward
    double forward = 0, backward = 0;  ///< seconds
    std::size_t moved = 0;             ///< bytes, both ways: Traffic
    std::ptrdiff_t kept = 0;           ///< bytes of the arena that were more in use after the op than before: for the way back

    double seconds() const { return forward + backward; }
  };

  /// What a backward closure is charged to.
  struct Stamp {
    int row = 0;
    std::size_t moved = 0;
  };

  class Scope;

  Profile() {
    constexpr std::size_t more_than_ops = 64;
    rows_.reserve(more_than_ops);
    rows_.push_back({"between ops"});
  }
  Profile(const Profile&) = delete;
  Profile& operator=(const Profile&) = delete;

  /// Scopes of a whole step and of a part of it that is no op (the optimizer, say); no profile: they do nothing.
  [[nodiscard]] static Scope step(Profile* profile);
  [[nodiscard]] static Scope part(Profile* profile, const char* name);

  /// For Graph: scopes of an op (bytes; arena: where it keeps memory, or null; again: computed again on the way back, which is
  /// charged to whoever asked for it) and of a backward closure; the stamp of a closure that is recorded now.
  [[nodiscard]] Scope op(const char* name, const Traffic& moved, const Arena* arena, bool again);
  [[nodiscard]] Scope closure(const Stamp& stamp);
  const Stamp& stamp() const { return stamp_; }

  std::size_t steps() const { return rows_[0].calls; }
  const std::vector<Row>& rows() const { return rows_; }
  /// Seconds of all steps.
  double seconds() const {
    double sum = 0;
    for (const Row& row : rows_) sum += row.seconds();
    return sum;
  }

  /// A table of what a step took, the largest first.
  std::string table() const {
    auto sorted = rows_;
    std::stable_sort(sorted.begin(), sorted.end(), [](const Row& a, const Row& b) { return a.seconds() > b.seconds(); });
    const double each = 1.0 / static_cast<double>(std::max<std::size_t>(steps(), 1)), ms = 1e3 * each, mb = 1e-6 * each;
    Row all{"step"};
    std::string out;
    const auto append = [&out]<class... Values>(const char* format, Values... values) {
      char line[256];
      std::snprintf(line, sizeof line, format, values...);
      out += line;
    };
    append("%-24s %8s %11s %11s %7s %9s %7s %9s\n", "op, by step", "calls", "forward ms", "backward ms", "share", "moved MB",
           "GB/s", "kept MB");
    const auto line = [&](const Row& row, double calls) {
      append("%-24.*s %8.3g %11.3f %11.3f %6.1f%% %9.2f %7.2f %9.2f\n", static_cast<int>(row.name.size()), row.name.data(), calls,
             ms * row.forward, ms * row.backward, 100 * row.seconds() / seconds(), mb * static_cast<double>(row.moved),
             row.seconds() > 0 ? 1e-9 * static_cast<double>(row.moved) / row.seconds() : 0, mb * static_cast<double>(row.kept));
    };
    for (const Row& row : sorted) {
      line(row, each * static_cast<double>(row.calls));
      all.forward += row.forward;
      all.backward += row.backward;
      all.moved += row.moved;
      all.kept += row.kept;
    }
    line(all, 1);
    append("over %zu steps; moved: tensors read or written once, parameters not counted\n", steps());
    return out;
  }

 private:
  using Clock = std::chrono::steady_clock;

  /// What is charged now; row -1: nothing, outside of steps.
  struct Place {
    int row = -1;
    bool backward = false;
  };

  int row(std::string_view name) {
    const auto found = std::find_if(rows_.begin(), rows_.end(), [name](const Row& r) { return r.name == name; });
    if (found == rows_.end()) return rows_.push_back({name}), static_cast<int>(rows_.size()) - 1;
    return static_cast<int>(found - rows_.begin());
  }
  Row& at(int row) { return rows_[static_cast<std::size_t>(row)]; }

  /// Charges the time since the last change to the place it was spent in, and returns that place.
  Place enter(const Place& next) {
    const auto now = Clock::now();
    if (place_.row >= 0) {
      Row& row = at(place_.row);
      (place_.backward ? row.backward : row.forward) += std::chrono::duration<double>(now - since_).count();
    }
    since_ = now;
    return std::exchange(place_, next);
  }

  std::vector<Row> rows_;
  Place place_;
  Stamp stamp_;
  Clock::time_point since_;
};

/// @brief A stretch of time that is charged to one row; made by Profile and Graph.
class Profile::Scope {
 public:
  Scope() = default;
  ~Scope() {
    if (profile_ == nullptr) return;
    if (arena_ != nullptr)
      profile_->at(profile_->stamp_.row).kept += static_cast<std::ptrdiff_t>(arena_->live()) - static_cast<std::ptrdiff_t>(live_);
    profile_->enter(place_);
    profile_->stamp_ = stamp_;
  }
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

 private:
  friend class Profile;
  Scope(Profile& profile, const Place& place, const Stamp& stamp, const Arena* arena = nullptr)
      : profile_(&profile),
        place_(profile.enter(place)),
        stamp_(std::exchange(profile.stamp_, stamp)),
        arena_(arena),
        live_(arena != nullptr ? arena->live() : 0) {}

  Profile* profile_ = nullptr;
  Place place_;  // before
  Stamp stamp_;  // before
  const Arena* arena_ = nullptr;
  std::size_t live_ = 0;
};

inline Profile::Scope Profile::part(Profile* profile, const char* name) {
  if (profile == nullptr) return {};
  const int row = profile->row(name);
  ++profile->at(row).calls;
  return {*profile, {row}, {row}};
}
inline Profile::Scope Profile::step(Profile* profile) { return part(profile, "between ops"); }

inline Profile::Scope Profile::op(const char* name, const Traffic& moved, const Arena* arena, bool again) {
  const Stamp stamp{row(name), moved.backward};
  if (again) return {*this, place_, stamp};
  Row& of_op = at(stamp.row);
  ++of_op.calls;
  of_op.moved += moved.forward;
  return {*this, {stamp.row}, stamp, arena};
}
inline Profile::Scope Profile::closure(const Stamp& stamp) {
  at(stamp.row).moved += stamp.moved;
  return {*this, {stamp.row, true}, stamp};
}

}  // namespace lacuna
