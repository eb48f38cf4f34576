#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "lacuna/core/error.hpp"
#include "lacuna/core/philox.hpp"
#include "lacuna/sampler/denoiser.hpp"
#include "lacuna/sampler/solvers.hpp"
#include "lacuna/sampler/time_path.hpp"

namespace lacuna::sampler {

/// @brief What a path begins with: sigma eps everywhere (the paper), or M (alpha x_obs + sigma eps) (its published code).
enum class Start { noise, observed };

/// @brief Fills a span of whole members with standard normal numbers: a function of (seed, step, member, element).
template <class T>
void draw_normals(const Members& members, std::uint64_t step, std::span<T> out) {
  const PhiloxKey key = philox_key(mix_bits(members.seed) + step, Purpose::path);
  const std::size_t size = out.size() / members.count;
  for (std::size_t m = 0; m < members.count; ++m)
    for (std::size_t i = 0; i < size; i += 4) {
      const auto four = normals(philox(key, members.first + m, i / 4));
      for (std::size_t k = i; k < std::min(size, i + 4); ++k) out[m * size + k] = static_cast<T>(four[k - i]);
    }
}

/// @brief Algorithm 4: from noise to samples of x0 along a path of times, for any denoiser, schedule and solver.
///
/// Steps down are the solver's; steps up (resampling, restart) add the noise that leads from one level to the other. Observed
/// elements follow their known values; at the end they are these values. Each member is one sample.
/// Determinism: bit for bit; a member is the same alone or beside others if the denoiser treats members apart.
/// NaN: an estimate that is not finite where nothing was observed ends in an Error that names the step.
/// Throws: OptionError (path, schedule, solver), ShapeError, Error. Source: paper, appendix E, Algorithm 4.
template <schedule::NoiseSchedule Schedule, class S>
class Diffusion {
 public:
  Diffusion(const Schedule& schedule, const S& solver, const std::vector<double>& path, Start start = Start::noise)
      : levels_(levels_along(schedule, path)), solver_(solver), start_(start) {
    solver_.check();
  }

  template <class T, Denoiser<T> D>
  requires Solver<S, T>
  void operator()(D& denoiser, const Known<T>& known, const Members& members, std::span<T> state) const {
    require<ShapeError>(known.values.size() == state.size() && known.observed.size() == state.size(), "Diffusion: a state of ",
                        state.size(), " with ", known.values.size(), " values and ", known.observed.size(), " mask bytes");
    require<ShapeError>(members.count >= 1 && state.size() % members.count == 0, "Diffusion: a state of ", state.size(), " for ",
                        members.count, " members");
    Stage<T> stage{.state = state, .known = known};
    stage.estimate.resize(state.size());
    stage.other.resize(state.size());
    std::uint64_t evaluations = 0, drawn = 0;
    const auto denoise = [&](double time, std::span<const T> from, std::span<T> to) {
      denoiser(Evaluation{time, evaluations++}, from, to);
    };
    const auto draw = [&](std::span<T> to) { draw_normals(members, drawn++, to); };
    begin(stage, draw);
    for (std::size_t i = 0; i + 1 < levels_.size(); ++i) {
      const Level &from = levels_[i], &to = levels_[i + 1];
      const bool finite = to.time < from.time ? solver_.step({from, to}, stage, denoise, draw) : go_back(from, to, stage, draw);
      require(finite, "sampling: the state is not finite after step ", i + 1, " of ", levels_.size() - 1, " (t ", from.time,
              " to ", to.time, ")");
    }
    for (std::size_t i = 0; i < state.size(); ++i)
      if (known.observed[i] != 0) state[i] = known.values[i];
  }

  const std::vector<Level>& levels() const { return levels_; }

 private:
  template <class T, class Draw>
  void begin(Stage<T>& stage, const Draw& draw) const {
    const auto alpha = static_cast<T>(levels_[0].alpha), sigma = static_cast<T>(levels_[0].sigma);
    draw(stage.state);
    for (std::size_t i = 0; i < stage.state.size(); ++i) {
      T& x = stage.state[i];
      x *= sigma;
      if (start_ == Start::observed) x = stage.known.observed[i] != 0 ? alpha * stage.known.values[i] + x : T(0);
    }
  }

  /// x_t = (alpha_t / alpha_s) x_s + noise of what variance is missing: the forward equation, for t > s.
  template <class T, class Draw>
  static bool go_back(const Level& from, const Level& to, Stage<T>& stage, const Draw& draw) {
    const double kept = to.alpha / from.alpha;
    stage.noise.resize(stage.state.size());
    draw(std::span<T>(stage.noise));
    stage.width_before = 0;
    return stage.advance(kept, 0, 0, std::sqrt(std::max(0.0, to.sigma * to.sigma - kept * kept * from.sigma * from.sigma)));
  }

  std::vector<Level> levels_;
  S solver_;
  Start start_;
};

}  // namespace lacuna::sampler
