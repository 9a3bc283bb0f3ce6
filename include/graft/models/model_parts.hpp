/// @file
/// @brief A model's weights with the strategy's hooks around their uses.
#pragma once

#include <type_traits>
#include <variant>

#include <graft/models/prepared_step.hpp>
#include <graft/models/weights.hpp>
#include <graft/ops/cast.hpp>
#include <graft/ops/residual.hpp>
#include <graft/ops/rotary.hpp>

namespace graft {

/// What layers are built from, in one step. `state` is null while the adaptation is disabled. Hooks compute in the type
/// of the strategy's parameters: where activations have another (bfloat16), they are cast for a hook, and what it
/// returns is cast back.
template <Architecture A, class State, class Scalar, class Device>
struct ModelParts {
  using Value = Variable<Scalar, Device>;
  using Number = ParameterOf<Scalar>;
  using Rotary =
      std::conditional_t<A::positions == PositionKind::rotary, RotaryTable<SumOf<Scalar>, Device>, std::monostate>;

  Pretrained<A, Number, Device> const& base;
  WeightAccess<A, State, Scalar, Device> const& weights;
  Rotary const& rotary;
  PreparedStep<State, Number, Device> const& prepared;
  State const* state = prepared.state.get();

  [[nodiscard]] ModelConfig const& config() const { return base.config(); }
  [[nodiscard]] StackConfig const& stack(Stack which) const { return stack_config<A>(base.config(), which); }

  /// A linear map of the base, and what the strategy makes of it: `[tokens, in]` → `[tokens, out]`, for the tokens of
  /// `rows`.
  template <Role role = Role::weight>
  [[nodiscard]] Value project(SiteAddress const& site, Value const& x, Rows const& rows) const {
    auto const linear = [&](Value const& input) { return weights.template linear<role>(site, input, state); };
    if constexpr (HasProject<State, Number, Device>)
      if (state) return hooked_product(site, x, linear, rows);  // [tokens, out]
    return linear(x);                                           // [tokens, out]
  }
  /// The same where the result has been there already and its gradient alone is wanted, as of the last product of a
  /// layer that is computed again: the base's part is not computed, unless the strategy may read it.
  [[nodiscard]] Value project_again(SiteAddress const& site, Value const& x, Rows const& rows) const {
    auto const linear = [&](Value const& input) { return weights.linear(site, input, state, false); };
    if constexpr (HasProject<State, Number, Device>) {
      if constexpr (!AddsToProducts<State>)
        return project(site, x, rows);  // [tokens, out]
      else if (state)
        return hooked_product(site, x, linear, rows);  // [tokens, out]
    }
    return linear(x);  // [tokens, out]
  }
  /// Whether the strategy leaves a linear map as the base has it.
  [[nodiscard]] bool unchanged(SiteAddress const& site) const {
    if constexpr (HasProject<State, Number, Device>)
      if (state && product_change(*state, site) != ProductChange::none) return false;
    return weights.frozen(site, state);
  }
  [[nodiscard]] Value norm(SiteAddress const& site, Value const& x) const {
    return weights.norm(site, x, state);
  }  // [tokens, width]

  /// x + output, with what the strategy makes of the output of a sublayer that was given `input`.
  [[nodiscard]] Value add_sublayer(LayerAddress at, Sublayer which, Value const& x, Value const& input,
                                   Value const& output, Rows const& rows) const {
    if constexpr (HasAfterSublayer<State, Number, Device>)
      if (state)
        return add(x, cast<Scalar>(detail::call_after_sublayer(*state, prepared.step, at, which, cast<Number>(x),
                                                               cast<Number>(input), cast<Number>(output),
                                                               rows)));  // [queries, width]
    return add(x, output);                                               // [queries, width]
  }
  /// A layer's result, and what the strategy makes of it.
  [[nodiscard]] Value after_layer(LayerAddress at, Value const& x, Rows const& rows) const {
    if constexpr (HasAfterLayer<State, Number, Device>)
      if (state)
        return cast<Scalar>(
            detail::call_after_layer(*state, prepared.step, at, cast<Number>(x), rows));  // [queries, width]
    return x;                                                                             // [queries, width]
  }
  /// Virtual keys and values of an attention, `[keys, kv_heads · head_dim]` each.
  [[nodiscard]] BankList<Scalar, Device> banks(LayerAddress at, AttentionKind kind) const {
    BankList<Number, Device> given;
    if constexpr (HasVirtualKeysValues<State, Number, Device>)
      if (state)
        detail::call_virtual_keys_values(*state, prepared.step, at, kind, given);  // [keys, kv_heads · head_dim] each
    if constexpr (is_narrow<Scalar>) {
      Index const width = stack(at.stack).kv_width();
      BankList<Scalar, Device> banks;
      for (std::size_t b = 0; b < given.size(); ++b) {
        auto const& bank = given[b];
        std::size_t first = 0;  // bank of this storage, which is cast once
        while (!same_storage(given[first], bank)) ++first;
        banks.push_back({.keys = first < b ? banks[first].keys : cast<Scalar>(bank.keys, width),
                         .values = first < b ? banks[first].values : cast<Scalar>(bank.values, width),
                         .count = bank.count,
                         .place = bank.place,
                         .adapter = bank.adapter,
                         .begin = bank.begin});
      }
      return banks;
    } else {
      return given;
    }
  }

 private:
  /// What the strategy makes of a product. A hook that gives the linear map its own x gets the product of the x that
  /// was cast.
  template <class Linear>
  [[nodiscard]] Value hooked_product(SiteAddress const& site, Value const& x, Linear const& linear,
                                     Rows const& rows) const {
    if constexpr (is_narrow<Scalar>) {
      if constexpr (HasChanges<State>)
        if (state->changes(site) == ProductChange::none) return linear(x);  // [tokens, out]
      auto const wide = cast<Number>(x);                                    // [tokens, in]
      auto const product = [&](Variable<Number, Device> const& input) {
        bool const same =
            input.value().data() == wide.value().data() && input.shape() == wide.shape() && input.slot() == wide.slot();
        return cast<Number>(linear(same ? x : cast<Scalar>(input)));  // [tokens, out]
      };
      return cast<Scalar>(detail::call_project(*state, prepared.step, site, wide, product, rows));  // [tokens, out]
    } else {
      return detail::call_project(*state, prepared.step, site, x, linear, rows);  // [tokens, out]
    }
  }
};

}  // namespace graft
