#pragma once

#include <algorithm>
#include <any>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "lacuna/data/field.hpp"
#include "lacuna/data/windows.hpp"

namespace lacuna::baseline {

/// @brief What a background is fitted to.
struct BackgroundData {
  const data::Fields& fields;    ///< normalised; NaN = not available
  data::WindowSettings windows;  ///< that it will be asked for
  data::FrameRange training;     ///< frames that may be learned from; empty: all
  int threads = 1;

  data::FrameRange training_frames() const {
    return training == data::FrameRange{} ? data::FrameRange{0, fields.frames()} : training;
  }
};

/// @brief A patch of a window, and what is known of it. All arrays (F,h,w,V).
struct BackgroundRequest {
  int first = 0, frames = 1;  ///< of the fitted fields
  int variables = 1;
  data::Patch patch{};                    ///< may continue past the seam of a periodic grid
  const float* values = nullptr;          ///< normalised; anything, NaN too, outside the context
  const std::uint8_t* context = nullptr;  ///< 1 = the value may be used

  std::size_t size() const {  ///< of each array
    return static_cast<std::size_t>(frames) * static_cast<std::size_t>(patch.cells()) * static_cast<std::size_t>(variables);
  }
};

/// @brief `b.fit(const BackgroundData&)`
template <class B>
concept FitsData = requires(B& b, const BackgroundData& data) {
  b.fit(data);
};

/// @brief `b.evaluate(const BackgroundRequest&, float* out) const`, with a `B::Workspace&` at the end where that type exists.
template <class B>
concept EvaluatesWindows = requires(const B& b, const BackgroundRequest& request, float* out) {
  b.evaluate(request, out);
}
|| requires(const B& b, const BackgroundRequest& request, float* out, typename B::Workspace& workspace) {
  b.evaluate(request, out, workspace);
};

/// @brief A first guess of a window's fields that the network corrects: a copyable value.
///
/// fit(data) is called once, on a copy, before anything else. evaluate(request, out) writes the first guess of every value of the
/// patch, in normalised units; it may use values of the context and whatever fit() kept, but of a queried value nothing: a window
/// must leave no trace in its own first guess but by its context. It is called by several threads at once.
///
/// Optional: `B::Workspace`, buffers of evaluate() that are kept from call to call; `name()`;
/// `expected_error(request, out, [workspace,] threads)`, the error it expects of itself as a fraction of the anomaly's deviation
/// (else 1 everywhere), which gives the spread its shape; `climatology_channel()`, (T,H,W,V) or empty, what the network is shown
/// beside the first guess.
template <class B>
concept Background = std::copyable<B> && FitsData<B> && EvaluatesWindows<B>;

/// @brief The background with the data taken in.
template <Background B>
B fitted(B background, const BackgroundData& data) {
  background.fit(data);
  return background;
}

/// @brief Any background, for code that does not know its type; by default none, a first guess of zero. Copies are cheap: what
/// was fitted is shared.
class AnyBackground {
 public:
  /// Buffers of evaluate() of whatever background it is used with.
  class Workspace {
    friend class AnyBackground;
    std::any buffers_;
  };

  AnyBackground() = default;
  template <class B>
  requires(!std::same_as<B, AnyBackground> && Background<B>)
      AnyBackground(B background)  // NOLINT(google-explicit-constructor): any background will do
      : holder_(std::make_shared<Holder<B>>(std::move(background))) {}

  /// Whether there is a first guess at all; without, the network gets no channel for it.
  bool exists() const { return holder_ != nullptr && holder_->exists(); }
  std::string name() const { return holder_ == nullptr ? "none" : holder_->name(); }

  void fit(const BackgroundData& data) {
    if (holder_ != nullptr) holder_ = holder_->fitted_to(data);
  }
  void evaluate(const BackgroundRequest& request, float* out, Workspace& workspace) const {
    if (holder_ == nullptr) return std::fill_n(out, request.size(), 0.0f), void();
    holder_->evaluate(request, out, workspace.buffers_);
  }
  void expected_error(const BackgroundRequest& request, float* out, Workspace& workspace, int threads = 1) const {
    if (holder_ == nullptr) return std::fill_n(out, request.size(), 1.0f), void();
    holder_->expected_error(request, out, workspace.buffers_, threads);
  }
  std::span<const float> climatology_channel() const {
    return holder_ == nullptr ? std::span<const float>() : holder_->climatology_channel();
  }

 private:
  struct Base {
    virtual ~Base() = default;
    virtual bool exists() const = 0;
    virtual std::string name() const = 0;
    virtual std::shared_ptr<const Base> fitted_to(const BackgroundData& data) const = 0;
    virtual void evaluate(const BackgroundRequest& request, float* out, std::any& buffers) const = 0;
    virtual void expected_error(const BackgroundRequest& request, float* out, std::any& buffers, int threads) const = 0;
    virtual std::span<const float> climatology_channel() const = 0;
  };
  template <class B>
  struct Holder;

  std::shared_ptr<const Base> holder_;
};

template <class B>
struct AnyBackground::Holder final : Base {
  explicit Holder(B b) : background(std::move(b)) {}

  bool exists() const override {
    if constexpr (requires { background.exists(); }) return background.exists();
    return true;
  }
  std::string name() const override {
    if constexpr (requires { background.name(); }) return background.name();
    return "own";
  }
  std::shared_ptr<const Base> fitted_to(const BackgroundData& data) const override {
    auto copy = std::make_shared<Holder>(background);
    copy->background.fit(data);
    return copy;
  }
  void evaluate(const BackgroundRequest& request, float* out, std::any& buffers) const override {
    if constexpr (requires { typename B::Workspace; })
      background.evaluate(request, out, workspace(buffers));
    else
      background.evaluate(request, out);
  }
  void expected_error(const BackgroundRequest& request, float* out, std::any& buffers, int threads) const override {
    if constexpr (requires(typename B::Workspace & w) { background.expected_error(request, out, w, threads); })
      background.expected_error(request, out, workspace(buffers), threads);
    else if constexpr (requires { background.expected_error(request, out, threads); })
      background.expected_error(request, out, threads);
    else
      std::fill_n(out, request.size(), 1.0f);
  }
  std::span<const float> climatology_channel() const override {
    if constexpr (requires { background.climatology_channel(); }) return background.climatology_channel();
    return {};
  }

  /// The caller's buffers, if they are of this type of background; else new ones in their place.
  static auto& workspace(std::any& buffers) requires requires { typename B::Workspace; }
  {
    if (std::any_cast<typename B::Workspace>(&buffers) == nullptr) buffers.emplace<typename B::Workspace>();
    return *std::any_cast<typename B::Workspace>(&buffers);
  }

  B background;
};

}  // namespace lacuna::baseline
