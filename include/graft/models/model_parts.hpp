/// @file
/// @brief A model's weights with the strategy's hooks around their uses.
#pragma once

#include <type_traits>
#include <variant>

#include <graft/models/prepared_step.hpp>
#include <graft/models/weights.hpp>
#include <graft/ops/residual.hpp>
#include <graft/ops/rotary.hpp>

namespace graft {

/// What layers are built from, in one step. `state` is null while the adaptation is disabled.
template <Architecture A, class State, class Scalar, class Device>
struct ModelParts {
  using Value = Variable<Scalar, Device>;
  using Rotary = std::conditional_t<A::positions == PositionKind::rotary, RotaryTable<Scalar, Device>, std::monostate>;

  Pretrained<A, Scalar, Device> const& base;
  WeightAccess<A, State, Scalar, Device> const& weights;
  Rotary const& rotary;
  PreparedStep<State, Scalar, Device> const& prepared;
  State const* state = prepared.state.get();

  [[nodiscard]] ModelConfig const& config() const { return base.config(); }
  [[nodiscard]] StackConfig const& stack(Stack which) const { return stack_config<A>(base.config(), which); }

  /// A linear map of the base, and what the strategy makes of it.
  template <Role role = Role::weight>
  [[nodiscard]] Value project(SiteAddress const& site, Value const& x, Rows const& rows) const {
    auto const linear = [&](Value const& input) { return weights.template linear<role>(site, input, state); };
    if constexpr (HasProject<State, Scalar, Device>)
      if (state) return detail::call_project(*state, prepared.step, site, x, linear, rows);
    return linear(x);
  }
  /// The same where the result has been there already and its gradient alone is wanted, as of the last product of a layer that is
  /// computed again: the base's part is not computed, unless the strategy may read it.
  [[nodiscard]] Value project_again(SiteAddress const& site, Value const& x, Rows const& rows) const {
    auto const linear = [&](Value const& input) { return weights.linear(site, input, state, false); };
    if constexpr (HasProject<State, Scalar, Device>) {
      if constexpr (!AddsToProducts<State>)
        return project(site, x, rows);
      else if (state)
        return detail::call_project(*state, prepared.step, site, x, linear, rows);
    }
    return linear(x);
  }
  [[nodiscard]] Value norm(SiteAddress const& site, Value const& x) const { return weights.norm(site, x, state); }

  /// x + output, with what the strategy makes of the output of a sublayer that was given `input`.
  [[nodiscard]] Value add_sublayer(LayerAddress at, Sublayer which, Value const& x, Value const& input, Value const& output,
                                   Rows const& rows) const {
    if constexpr (HasAfterSublayer<State, Scalar, Device>)
      if (state) return add(x, detail::call_after_sublayer(*state, prepared.step, at, which, x, input, output, rows));
    return add(x, output);
  }
  /// A layer's result, and what the strategy makes of it.
  [[nodiscard]] Value after_layer(LayerAddress at, Value const& x, Rows const& rows) const {
    if constexpr (HasAfterLayer<State, Scalar, Device>)
      if (state) return detail::call_after_layer(*state, prepared.step, at, x, rows);
    return x;
  }
  /// Virtual keys and values of an attention.
  [[nodiscard]] BankList<Scalar, Device> banks(LayerAddress at, AttentionKind kind) const {
    BankList<Scalar, Device> banks;
    if constexpr (HasVirtualKeysValues<State, Scalar, Device>)
      if (state) detail::call_virtual_keys_values(*state, prepared.step, at, kind, banks);
    return banks;
  }
};

}  // namespace graft
