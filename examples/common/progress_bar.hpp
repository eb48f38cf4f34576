#pragma once

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>

namespace lacuna::common {

/// @brief A progress bar on standard error with the time left, in training with loss and rate; silent when that is not a
/// terminal.
class ProgressBar {
 public:
  ProgressBar() : visible_(isatty(STDERR_FILENO) == 1) {}
  ~ProgressBar() { finish(); }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  /// Training: called every step. done: 0 to 1.
  void step(double done, std::int64_t step, double loss, double elapsed) {
    smooth_loss_ = first_ ? loss : smooth_loss_ + 0.02 * (loss - smooth_loss_);
    first_ = false;
    if (!due(elapsed)) return;
    bar("training", done);
    std::fprintf(stderr, "  step %lld  loss %.4f  %.1f steps/s", static_cast<long long>(step), smooth_loss_,
                 elapsed > 0 ? static_cast<double>(step) / elapsed : 0.0);
    time_left(done, elapsed);
  }
  /// Any other work, which began when this object did.
  void show(const char* what, double done) {
    const double elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    if (!due(elapsed)) return;
    bar(what, done);
    time_left(done, elapsed);
  }
  void finish() {
    if (open_) std::fputc('\n', stderr);
    open_ = false;
    drawn_ = -1;
  }

 private:
  /// At most ten times a second, on a terminal only.
  bool due(double elapsed) {
    if (!visible_ || elapsed - drawn_ < 0.1) return false;
    drawn_ = elapsed;
    return true;
  }
  void bar(const char* what, double done) {
    constexpr int width = 30;
    const int full = std::clamp(static_cast<int>(done * width), 0, width);
    std::fprintf(stderr, "\r%s [%.*s%.*s] %3.0f %%", what, full, "##############################", width - full,
                 "..............................", 100.0 * std::clamp(done, 0.0, 1.0));
    open_ = true;
  }
  static void time_left(double done, double elapsed) {
    const auto left = static_cast<long long>(done > 1e-3 ? elapsed * (1.0 - done) / done : 0.0);
    std::fprintf(stderr, "  %lld:%02lld left ", left / 60, left % 60);
  }

  bool visible_, open_ = false, first_ = true;
  double drawn_ = -1, smooth_loss_ = 0;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace lacuna::common
