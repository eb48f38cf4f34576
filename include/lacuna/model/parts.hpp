#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

#include "lacuna/autograd/parameter.hpp"
#include "lacuna/baseline/background.hpp"
#include "lacuna/mask/policy.hpp"
#include "lacuna/schedule/matching.hpp"
#include "lacuna/schedule/noise_schedule.hpp"
#include "lacuna/train/network.hpp"
#include "lacuna/train/trainer.hpp"

namespace lacuna::model {

using train::UsualMatching;

/// @brief What a factory makes: `factory(const train::NetworkShape&, Parameters<float>&, std::uint64_t seed)`.
template <class Factory>
concept MakesNetworks = requires(const Factory& factory, const train::NetworkShape& shape, Parameters<float>& parameters,
                                 std::uint64_t seed) {
  factory(shape, parameters, seed);
};

template <class Factory>
struct NetworkOfFactory {
  static_assert(
      MakesNetworks<Factory>,
      "the network factory must be callable as factory(const train::NetworkShape&, Parameters<float>&, std::uint64_t seed)");
  using Type =
      std::remove_cvref_t<std::invoke_result_t<const Factory&, const train::NetworkShape&, Parameters<float>&, std::uint64_t>>;
};
template <class Factory>
using NetworkOf = typename NetworkOfFactory<Factory>::Type;

/// @brief Compiles if these parts make a model; else the first error names the member that one of them lacks.
template <class N, class P, class S, class M, class D>
consteval bool check_parts() {
  static_assert(
      train::Network<N, D>,
      "the network needs a const operator()(Graph<float, Device>&, const Variable<float>& input, const float* times) that "
      "returns a Variable<float>");
  static_assert(std::copyable<P>, "the mask policy must be copyable");
  static_assert(
      requires(const P& policy, PhiloxKey key, std::uint64_t n, const mask::Window& window) { policy.draw(key, n, window); },
      "the mask policy needs a const draw(PhiloxKey, std::uint64_t sample, const mask::Window&)");
  if constexpr (requires(const P& policy, PhiloxKey key, std::uint64_t n, const mask::Window& window) {
                  policy.draw(key, n, window);
                }) {
    using Draw = decltype(std::declval<const P&>().draw(PhiloxKey{}, std::uint64_t{}, std::declval<const mask::Window&>()));
    static_assert(mask::DecidesContext<Draw>, "what the mask policy's draw() returns needs a const bool in_context(mask::Cell)");
    static_assert(mask::DecidesQuery<Draw>, "what the mask policy's draw() returns needs a const bool in_query(mask::Cell)");
  }
  static_assert(std::copyable<S>, "the noise schedule must be copyable");
  static_assert(schedule::HasAlpha<S>, "the noise schedule needs a const double alpha(double t)");
  static_assert(schedule::HasSigma<S>, "the noise schedule needs a const double sigma(double t)");
  static_assert(schedule::HasLogSnr<S>,
                "the noise schedule needs a const double log_snr(double t) and its inverse, double time_of_log_snr(double)");
  static_assert(std::copyable<M>, "the matching must be copyable");
  static_assert(
      requires {
        { M::needs_noisy } -> std::convertible_to<bool>;
      },
      "the matching needs a static bool needs_noisy");
  static_assert(
      requires(const M& m, float x) {
        { m.target(x, x, x, x) } -> std::same_as<float>;
      },
      "the matching needs a const float target(float alpha, float sigma, float x0, float eps)");
  static_assert(
      requires(const M& m, float x) {
        { m.clean(x, x, x, x) } -> std::same_as<float>;
      },
      "the matching needs a const float clean(float alpha, float sigma, float noisy, float answer)");
  static_assert(
      requires(const M& m, float x) {
        { m.noise(x, x, x, x) } -> std::same_as<float>;
      },
      "the matching needs a const float noise(float alpha, float sigma, float noisy, float answer)");
  return true;
}

/// @brief The background, whatever its type; else the first error names the member that it lacks.
template <class B>
baseline::AnyBackground any_background(B background) {
  static_assert(std::copyable<B>, "the background must be copyable");
  static_assert(baseline::FitsData<B>, "the background needs a fit(const baseline::BackgroundData&)");
  static_assert(
      baseline::EvaluatesWindows<B>,
      "the background needs a const evaluate(const baseline::BackgroundRequest&, float* out), with its Workspace& at the "
      "end if it has that type");
  if constexpr (baseline::Background<B>) return baseline::AnyBackground(std::move(background));
}

template <class DeviceType>
std::shared_ptr<DeviceType> make_device(int threads) {
  typename DeviceType::Settings settings;
  settings.threads = threads;
  return std::make_shared<DeviceType>(settings);
}

}  // namespace lacuna::model
