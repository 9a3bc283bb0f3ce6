/// @file
/// @brief The hooks: the places where the model asks the strategy. A strategy has those it needs; an absent hook is no
/// code in the program.
///
/// A strategy is an aggregate of settings with a nested `template <class Scalar, class Device> class State`,
/// constructed as `State(settings, ModelInfo const&, BaseAccess const&, RandomKey)`, which holds its parameters and any
/// of these hooks:
///
/// | hook | called | used by |
/// |-|-|-|
/// | `parameters() -> std::vector<Parameter*>` (required) | any time | all |
/// | `prepare(StepContext const&) -> Step` | once a step, before anything else | reparametrizations |
/// | `announce(Additions&)` | any time; it computes nothing | prefix, prompt, infix |
/// | `virtual_tokens(EmbeddingList&, step)` | once a step, after `prepare` | prompt |
/// | `virtual_keys_values(LayerAddress, AttentionKind, BankList&, step)` | at every attention | prefix, infix |
/// | `project(SiteAddress, x, linear, Rows const&) -> y` | around every linear map y = x·Wᵀ + b, before rotary positions | LoRA, (IA)³ |
/// | `after_sublayer(LayerAddress, Sublayer, residual, input, output, Rows const&) -> output` | before it joins the residual | adapters |
/// | `after_layer(LayerAddress, x, Rows const&) -> x` | after every layer | adapters between layers |
/// | `trained(SiteAddress, Part) -> Variable const*`, static `Roles trained_roles` | where such a weight is used | fine-tuning, BitFit |
/// | `changes(SiteAddress) -> ProductChange` | of every product of an `AdapterTable` | LoRA, (IA)³ |
/// | `has_adapter(Index) -> bool` | of every row, before anything is computed | `AdapterTable` |
///
/// A step with virtual keys and values may say where they are stored (`HasBankRows`): then a table stores those of all
/// its adapters in one. `Scalar` is the type of the parameters, which hooks compute in. A model whose activations have
/// another (bfloat16) casts what it gives to a hook, and what the hook returns.
///
/// Hooks are const: a step is a value. What `prepare` computes of the parameters it returns, as a type of the
/// strategy's own, and every hook that is called after it may take that as a last argument, which the table shows where
/// it is usual. So one model is used by several threads, and several steps may be under way.
#pragma once

#include <concepts>
#include <type_traits>
#include <utility>
#include <vector>

#include <graft/adaptation/additions.hpp>
#include <graft/autograd/variable.hpp>
#include <graft/core/random.hpp>
#include <graft/nn/model_info.hpp>
#include <graft/nn/rows.hpp>
#include <graft/ops/columns.hpp>

namespace graft {

/// What addresses a step's random numbers, whether dropout acts, and which adapters are needed.
struct StepContext {
  std::uint64_t step = 0;
  bool training = false;
  std::vector<Index> adapters = {};  ///< those that rows of the step have, ascending; empty for all
};

/// Virtual keys and values of one attention, as it uses them (after rotary positions): stored once, seen by all rows
/// that they belong to. Attention reads banks of the same storage from one source.
template <class Scalar, class Device>
struct Bank {
  Columns<Scalar, Device> keys, values;  ///< `[≥ begin + count, kv_width]` each
  Index count = 0;
  Place place = Place::front;
  Index adapter = Additions::every_row;  ///< whose rows see them
  Index begin = 0;                       ///< the first row of the storage that is the bank's; others may share it
};
template <class Scalar, class Device>
using BankList = std::vector<Bank<Scalar, Device>>;

/// Whether two banks, or a bank and an attention's source, have their keys and values in the same storage.
template <class A, class B>
[[nodiscard]] bool same_storage(A const& a, B const& b) {
  auto const same = [](auto const& x, auto const& y) {
    return x.first == y.first && x.x.slot() == y.x.slot() && x.x.value().data() == y.x.value().data();
  };
  return same(a.keys, b.keys) && same(a.values, b.values);
}

/// The embeddings `[count, width]` of a strategy's virtual tokens, after embedding scale and before positions: one for
/// each of `Additions::tokens`, in their order.
template <class Scalar, class Device>
using EmbeddingList = std::vector<Variable<Scalar, Device>>;

/// Stands for a linear map of the base, for the concepts below.
template <class Scalar, class Device>
struct LinearMap {
  Variable<Scalar, Device> operator()(Variable<Scalar, Device> const& x) const { return x; }
};

template <class State>
concept HasPrepare = requires(State const& s, StepContext const& c) { s.prepare(c); } &&
                     !std::is_void_v<decltype(std::declval<State const&>().prepare(StepContext{}))>;

/// The step of a strategy that prepares nothing.
struct NoStep {};
namespace detail {
template <class State>
struct StepType {
  using type = NoStep;
};
template <HasPrepare State>
struct StepType<State> {
  using type = decltype(std::declval<State const&>().prepare(StepContext{}));
};
}  // namespace detail
/// What `prepare` returns.
template <class State>
using StepOf = typename detail::StepType<State>::type;

template <class State>
concept HasAnnounce = requires(State const& s, Additions& a) { s.announce(a); };
template <class State, class S, class D>
concept HasVirtualTokens = requires(State const& s, EmbeddingList<S, D>& e) {
  s.virtual_tokens(e);
} || requires(State const& s, EmbeddingList<S, D>& e, StepOf<State> const& t) { s.virtual_tokens(e, t); };
template <class State, class S, class D>
concept HasVirtualKeysValues = requires(State const& s, LayerAddress l, AttentionKind k, BankList<S, D>& b) {
  s.virtual_keys_values(l, k, b);
} || requires(State const& s, LayerAddress l, AttentionKind k, BankList<S, D>& b, StepOf<State> const& t) {
  s.virtual_keys_values(l, k, b, t);
};
template <class State, class S, class D>
concept HasProject =
    requires(State const& s, SiteAddress a, Variable<S, D> const& v, LinearMap<S, D> l, Rows const& r) {
      s.project(a, v, l, r);
    } || requires(State const& s, SiteAddress a, Variable<S, D> const& v, LinearMap<S, D> l, Rows const& r,
                  StepOf<State> const& t) { s.project(a, v, l, r, t); };
/// A state that says `static constexpr bool adds_to_products = true` promises that its `project` adds to what the
/// linear map gives and does not read it.
template <class State>
concept AddsToProducts = requires { requires State::adds_to_products; };
/// What a strategy's `project` does with a product.
enum class ProductChange {
  none,    ///< it returns linear(x)
  output,  ///< it calls the linear map with x itself, and changes the result or adds to it
  input,   ///< it may call the linear map with something else
};
/// A state may say so of each site with `ProductChange changes(SiteAddress const&) const`: then the rows of an
/// `AdapterTable` share the base's product wherever its input is theirs. A composition changes what any of its parts
/// changes.
template <class State>
[[nodiscard]] ProductChange product_change(State const& state, SiteAddress const& site) {
  if constexpr (requires { state.changes(site); })
    return state.changes(site);
  else
    return ProductChange::input;
}
template <class State, class S, class D>
concept HasAfterSublayer =
    requires(State const& s, LayerAddress l, Sublayer u, Variable<S, D> const& v, Rows const& r) {
      s.after_sublayer(l, u, v, v, v, r);
    } || requires(State const& s, LayerAddress l, Sublayer u, Variable<S, D> const& v, Rows const& r,
                  StepOf<State> const& t) { s.after_sublayer(l, u, v, v, v, r, t); };
template <class State, class S, class D>
concept HasAfterLayer = requires(State const& s, LayerAddress l, Variable<S, D> const& v, Rows const& r) {
  s.after_layer(l, v, r);
} || requires(State const& s, LayerAddress l, Variable<S, D> const& v, Rows const& r, StepOf<State> const& t) {
  s.after_layer(l, v, r, t);
};
template <class State>
concept HasAdapters = requires(State const& s, Index i) {
  { s.has_adapter(i) } -> std::same_as<bool>;
};
template <class State>
concept HasChanges = requires(State const& s, SiteAddress a) {
  { s.changes(a) } -> std::same_as<ProductChange>;
};
template <class State>
concept HasTrained = requires(State const& s, SiteAddress a) {
  s.trained(a, Part::weight);
  State::trained_roles;
};

/// The roles whose weights a state may train; none without the hook.
template <class State>
constexpr Roles trained_roles_of() {
  if constexpr (HasTrained<State>)
    return State::trained_roles;
  else
    return 0;
}

/// The state type of a strategy.
template <class Adaptation, class Scalar, class Device>
using StateOf = typename Adaptation::template State<Scalar, Device>;

}  // namespace graft
