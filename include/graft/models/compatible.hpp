/// @file
/// @brief What does not fit together is refused at compile time, in a sentence.
#pragma once

#include <concepts>
#include <type_traits>
#include <vector>

#include <graft/adaptation/parts.hpp>
#include <graft/models/architecture.hpp>

namespace graft {

/// Strategies that stand between a source and a target declare `static constexpr bool needs_target = true`.
template <class Adaptation>
constexpr bool needs_target() {
  if constexpr (requires { Adaptation::needs_target; })
    return Adaptation::needs_target;
  else
    return false;
}

namespace detail {

/// Whether a part of a composition, or of a composition in it, has adapters of its own for rows to choose among.
template <class Adaptation, class S, class D>
struct ComposesAdapters : std::false_type {};
template <class... Parts, class S, class D>
struct ComposesAdapters<Composed<Parts...>, S, D>
    : std::bool_constant<((HasAdapters<StateOf<Parts, S, D>> || ComposesAdapters<Parts, S, D>::value) || ...)> {};

// A hook that has the right name and a wrong signature would silently never be called. `Step const&`, the last
// argument, may be left out.
template <class S>
concept NamesPrepare = requires { &S::prepare; };
template <class S>
concept NamesAnnounce = requires { &S::announce; };
template <class S>
concept NamesVirtualTokens = requires { &S::virtual_tokens; };
template <class S>
concept NamesHasAdapter = requires { &S::has_adapter; };
template <class S>
concept NamesVirtualKeysValues = requires { &S::virtual_keys_values; };
template <class S, class Map>
concept NamesProject = requires { &S::project; } || requires { &S::template project<Map>; };
template <class S>
concept NamesAfterSublayer = requires { &S::after_sublayer; };
template <class S>
concept NamesAfterLayer = requires { &S::after_layer; };
template <class S>
concept NamesChanges = requires { &S::changes; };
template <class S>
concept NamesTrained = requires { &S::trained; };

/// True, or a failed assertion that says what is wrong with a strategy or its use.
template <Architecture A, class Adaptation, class S, class D>
constexpr bool compatible() {
  static_assert(
      requires { typename StateOf<Adaptation, S, D>; },
      "graft: a strategy needs a nested `template <class Scalar, class Device> class State`; see docs/own_strategy.md");
  using State = StateOf<Adaptation, S, D>;
  static_assert(
      requires(State& s) {
        { s.parameters() } -> std::same_as<std::vector<Parameter<S, D>*>>;
      },
      "graft: a strategy's State needs `std::vector<Parameter<Scalar, Device>*> parameters()`; see "
      "docs/own_strategy.md");
  static_assert(std::constructible_from<State, Adaptation const&, ModelInfo const&, BaseAccess<S, D> const&, RandomKey>,
                "graft: a strategy's State needs the constructor `State(settings, ModelInfo const&, BaseAccess<Scalar, "
                "Device> const&, "
                "RandomKey)`; see docs/own_strategy.md");
  static_assert(!NamesPrepare<State> || HasPrepare<State>,
                "graft: a strategy's hook prepare has another signature than `Step prepare(StepContext const&) const`; "
                "see docs/concepts.md");
  static_assert(!NamesAnnounce<State> || HasAnnounce<State>,
                "graft: a strategy's hook announce has another signature than `void announce(Additions&) const`; see "
                "docs/concepts.md");
  static_assert(!NamesVirtualTokens<State> || HasVirtualTokens<State, S, D>,
                "graft: a strategy's hook virtual_tokens has another signature than `void "
                "virtual_tokens(EmbeddingList<Scalar, Device>&, "
                "Step const&) const`; see docs/concepts.md");
  static_assert(!HasVirtualTokens<State, S, D> || HasAnnounce<State>,
                "graft: a strategy with the hook virtual_tokens needs the hook `void announce(Additions&) const`, "
                "which says how many "
                "there are; see docs/concepts.md");
  static_assert(!NamesHasAdapter<State> || HasAdapters<State>,
                "graft: a strategy's hook has_adapter has another signature than `bool has_adapter(Index) const`; see "
                "docs/concepts.md");
  static_assert(
      !NamesVirtualKeysValues<State> || HasVirtualKeysValues<State, S, D>,
      "graft: a strategy's hook virtual_keys_values has another signature than `void virtual_keys_values(LayerAddress, "
      "AttentionKind, BankList<Scalar, Device>&, Step const&) const`; see docs/concepts.md");
  static_assert(!NamesProject<State, LinearMap<S, D>> || HasProject<State, S, D>,
                "graft: a strategy's hook project has another signature than `Value project(SiteAddress const&, Value "
                "const& x, Linear "
                "const& linear, Rows const&, Step const&) const`; see docs/concepts.md");
  static_assert(!NamesAfterSublayer<State> || HasAfterSublayer<State, S, D>,
                "graft: a strategy's hook after_sublayer has another signature than `Value "
                "after_sublayer(LayerAddress, Sublayer, Value "
                "residual, Value input, Value output, Rows const&, Step const&) const`; see docs/concepts.md");
  static_assert(!NamesAfterLayer<State> || HasAfterLayer<State, S, D>,
                "graft: a strategy's hook after_layer has another signature than `Value after_layer(LayerAddress, "
                "Value x, Rows const&, "
                "Step const&) const`; see docs/concepts.md");
  static_assert(!NamesChanges<State> || HasChanges<State>,
                "graft: a strategy's hook changes has another signature than `ProductChange changes(SiteAddress "
                "const&) const`; see "
                "docs/concepts.md");
  static_assert(!NamesTrained<State> || HasTrained<State>,
                "graft: a strategy's hook trained needs `Variable const* trained(SiteAddress const&, Part) const` and "
                "`static constexpr "
                "Roles trained_roles`; see docs/concepts.md");
  static_assert(
      !ComposesAdapters<Adaptation, S, D>::value,
      "graft: a table of adapters cannot be part of a composition; make the composition an adapter of the table: "
      "add_adapter(table, compose(…))");
  static_assert(!needs_target<Adaptation>() || A::stacks != StackKind::encoder,
                "graft: this strategy stands between a source and a target, and an encoder-only architecture has no "
                "target; use prefix or "
                "prompt tuning; see docs/strategies.md");
  return true;
}

}  // namespace detail
}  // namespace graft
