/// @file
/// @brief Merging: a base model with an adapter's change of its weights in it, so that inference costs what the base
/// costs.
#pragma once

#include <cmath>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include <graft/adaptation/parts.hpp>
#include <graft/kernels/elementwise.hpp>
#include <graft/kernels/scale_columns.hpp>
#include <graft/kernels/sum_squares.hpp>
#include <graft/models/transformer.hpp>
#include <graft/weights/packed.hpp>

namespace graft {

/// Strategies that add something to a weight (LoRA).
template <class State>
concept HasMergedDelta = requires(State const& state, SiteAddress site) { state.merged_delta(site); };
/// Strategies that multiply a linear map's outputs or inputs ((IA)³).
template <class State>
concept HasMergedScale = requires(State const& state, SiteAddress site) {
  state.merged_scale(site).output;
  state.merged_scale(site).input;
};

namespace detail {

/// Whether all of a strategy is in the weights it changes.
template <class Adaptation, class Scalar, class Device>
struct Mergeable : std::bool_constant<HasMergedDelta<StateOf<Adaptation, Scalar, Device>> ||
                                      HasMergedScale<StateOf<Adaptation, Scalar, Device>> ||
                                      HasTrained<StateOf<Adaptation, Scalar, Device>>> {};
template <class... Parts, class Scalar, class Device>
struct Mergeable<Composed<Parts...>, Scalar, Device>
    : std::bool_constant<(Mergeable<Parts, Scalar, Device>::value && ...)> {};

template <class Scalar, class Device>
void check_merged(Tensor<Scalar, Device> const& merged, SiteInfo const& site) {
  Tensor<double, Device> squares(Shape{});
  kernels::On<Device, kernels::SumSquares, Scalar>::sum_squares(merged.data(), merged.size(), squares.data());
  if (!std::isfinite(*downloaded(squares).data()))
    fail<NumericError>(
        "[merge] got a weight of ", site.name,
        " that is not finite; expected numbers; hint: the adapter's training had diverged; the base is untouched");
}

/// Puts trained weights in place of the base's.
template <class State, class Scalar, class Device>
void replace_trained(State const& state, SiteInfo const& site, SiteWeights<Scalar, Device>& weights) {
  if (auto const* weight = state.trained(site.address, Part::weight)) {
    check_merged(weight->value(), site);
    if (site.role == Role::norm)
      weights.gain = clone(weight->value());
    else
      weights.matrix = for_products<Scalar>(clone(weight->value()), site.layout);
  }
  if (auto const* bias = state.trained(site.address, Part::bias)) {
    check_merged(bias->value(), site);
    weights.bias = clone(bias->value());
  }
}

/// Adds what a strategy adds to a weight.
template <class State, class Scalar, class Device>
void add_delta(State const& state, SiteInfo const& site, SiteWeights<Scalar, Device>& weights) {
  Tensor<Scalar, Device> const delta = state.merged_delta(site.address);
  if (delta.empty()) return;
  Tensor<Scalar, Device> sum = weights.matrix.dense();
  kernels::On<Device, kernels::Elementwise, Scalar>::add(sum.data(), delta.data(), sum.data(), sum.size());
  check_merged(sum, site);
  weights.matrix = for_products<Scalar>(std::move(sum), site.layout);
}

/// Multiplies a weight's outputs (its bias too) and inputs.
template <class State, class Scalar, class Device>
void apply_scale(State const& state, SiteInfo const& site, SiteWeights<Scalar, Device>& weights) {
  auto const scale = state.merged_scale(site.address);
  if (scale.output.empty() && scale.input.empty()) return;
  Tensor<Scalar, Device> product = weights.matrix.dense();
  auto const multiply = [&](Tensor<Scalar, Device> const& by, bool columns) {
    if (columns)
      kernels::On<Device, kernels::ScaleColumns, Scalar>::scale_columns(product.data(), by.data(), product.rows(),
                                                                        product.width(), product.data());
    else
      kernels::On<Device, kernels::ScaleColumns, Scalar>::scale_rows(product.data(), by.data(), product.rows(),
                                                                     product.width(), product.data());
  };
  bool const turned = site.layout == Layout::in_out;
  if (!scale.output.empty()) multiply(scale.output, turned);
  if (!scale.input.empty()) multiply(scale.input, !turned);
  check_merged(product, site);
  weights.matrix = for_products<Scalar>(std::move(product), site.layout);
  if (scale.output.empty() || weights.bias.empty()) return;
  Tensor<Scalar, Device> bias(weights.bias.shape());
  kernels::On<Device, kernels::Elementwise, Scalar>::multiply(weights.bias.data(), scale.output.data(), bias.data(),
                                                              bias.size());
  check_merged(bias, site);
  weights.bias = std::move(bias);
}

}  // namespace detail

/// Whether `merge` takes models of this strategy.
template <class Adaptation, class Scalar = float, class Device = Cpu>
inline constexpr bool can_merge = detail::Mergeable<Adaptation, Scalar, Device>::value;

/// W' = W + (alpha / rank)·B·A for LoRA; W' = diag(l)·W (and b' = l ∘ b) or W·diag(l) for (IA)³; the trained weights in
/// place of W for fine-tuning and BitFit; all of these, in their order, for a composition of such. The result is a new
/// base, in which only the changed weights are new (in the model's scalar, whatever the base stores them in) and all
/// others share storage with the model's base. That one is never written: to unmerge is to use it (and the model)
/// again, and merging twice gives the same numbers. The model may be disabled; it is merged all the same. Strategies
/// that are not in the weights (prefix, prompt, infix, bottleneck adapters) do not compile here.
/// @throws NumericError if a merged weight is NaN or infinite (as PEFT's "safe merge")
template <Architecture A, class Adaptation, class Scalar, class Device>
[[nodiscard]] Base<A, ParameterOf<Scalar>, Device> merge(Transformer<A, Adaptation, Scalar, Device> const& model) {
  using Number = ParameterOf<Scalar>;
  using State = StateOf<Adaptation, Number, Device>;
  static_assert(can_merge<Adaptation, Number, Device>,
                "only strategies that change the base's weights and nothing else can be merged into it");
  auto merged = std::make_shared<Pretrained<A, Number, Device>>(*model.base());
  for (auto const& site : merged->info().sites) {
    if (site.tied) continue;  // the token embedding's weights
    auto& weights = merged->mutable_at(site.address);
    if constexpr (HasTrained<State>) detail::replace_trained(model.state(), site, weights);
    each_part_state<Adaptation>(model.state(), [&](auto const& state, std::string const&) {
      if constexpr (HasMergedDelta<std::remove_cvref_t<decltype(state)>>) detail::add_delta(state, site, weights);
      if constexpr (HasMergedScale<std::remove_cvref_t<decltype(state)>>) detail::apply_scale(state, site, weights);
    });
  }
  return merged;
}

}  // namespace graft
