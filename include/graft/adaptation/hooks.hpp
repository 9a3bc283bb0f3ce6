/// @file
/// @brief The hooks: the places where the model asks the strategy. A strategy has those it needs; an absent hook is no code in the program.
///
/// A strategy is an aggregate of settings with a nested `template <class Scalar, class Device> class State`, constructed as
/// `State(settings, ModelInfo const&, BaseAccess const&, RandomKey)`, which holds its parameters and any of these hooks:
///
/// | hook | called | used by |
/// |-|-|-|
/// | `parameters() -> std::vector<Parameter*>` (required) | any time | all |
/// | `prepare(StepContext const&)` | once a step, before anything else | reparametrizations |
/// | `plan(VirtualPlan&)` | once a step, after `prepare` | prefix, prompt, infix |
/// | `virtual_keys_values(LayerAddress, AttentionKind, BankList&)` | at every attention | prefix, infix |
/// | `project(SiteAddress, x, linear, Rows const&) -> y` | around every linear map y = x·Wᵀ + b, before rotary positions | LoRA, (IA)³ |
/// | `after_sublayer(LayerAddress, Sublayer, residual, input, output, Rows const&) -> output` | before it joins the residual | adapters |
/// | `after_layer(LayerAddress, x, Rows const&) -> x` | after every layer | adapters between layers |
/// | `trained(SiteAddress, Part) -> Variable const*`, static `Roles trained_roles` | where such a weight is used | fine-tuning, BitFit |
#pragma once

#include <utility>
#include <vector>

#include <graft/autograd/variable.hpp>
#include <graft/core/random.hpp>
#include <graft/nn/model_info.hpp>
#include <graft/nn/rows.hpp>
#include <graft/ops/columns.hpp>

namespace graft {

/// What addresses a step's random numbers, and whether dropout acts.
struct StepContext {
  std::uint64_t step = 0;
  bool training = false;
};

/// Where virtual tokens or virtual keys and values stand in a row.
enum class Place {
  front,  ///< before the first token (prefix)
  infix,  ///< before the token at `Rows::insertion`, the last source token (infix)
};

/// Whether what stands behind virtual activations counts them in its positions.
enum class PositionPolicy {
  shift,      ///< as PEFT and the papers' decoders have it: later tokens' positions run on
  keep,       ///< real tokens keep the positions they have without the adaptation
  automatic,  ///< keep in an encoder–decoder with a table of positions (as the prefix-tuning paper's BART), else shift
};

/// What `automatic` means for a model.
[[nodiscard]] inline PositionPolicy resolve(PositionPolicy policy, ModelInfo const& model) {
  if (policy != PositionPolicy::automatic) return policy;
  return model.main().crosses && model.learned_positions ? PositionPolicy::keep : PositionPolicy::shift;
}

/// What a strategy adds to every row, announced before any layer runs: its embeddings join the row, its keys shift positions.
template <class Scalar, class Device>
struct VirtualPlan {
  /// Embeddings that join every row of a stack.
  struct Tokens {
    Variable<Scalar, Device> embeddings;  ///< `[P, width]`, after embedding scale, before positions
    Stack stack = Stack::decoder;
    Place place = Place::front;
    PositionPolicy positions = PositionPolicy::shift;
    bool pooled = false;  ///< whether a classifier reads the first of them in place of the first real token
  };
  /// Keys that every query of a stack's self-attention sees.
  struct Keys {
    Index count = 0;
    Stack stack = Stack::decoder;
    Place place = Place::front;
    PositionPolicy positions = PositionPolicy::shift;
  };
  std::vector<Tokens> tokens;
  std::vector<Keys> keys;
};

/// Virtual keys and values of one attention, as it uses them (after rotary positions): stored once, seen by every row.
template <class Scalar, class Device>
struct Bank {
  Columns<Scalar, Device> keys, values;  ///< `[count, kv_width]` each
  Index count = 0;
  Place place = Place::front;
};
template <class Scalar, class Device>
using BankList = std::vector<Bank<Scalar, Device>>;

/// Stands for a linear map of the base, for the concepts below.
template <class Scalar, class Device>
struct LinearMap {
  Variable<Scalar, Device> operator()(Variable<Scalar, Device> const& x) const { return x; }
};

template <class State>
concept HasPrepare = requires(State& s, StepContext const& c) { s.prepare(c); };
template <class State, class S, class D>
concept HasPlan = requires(State const& s, VirtualPlan<S, D>& p) { s.plan(p); };
template <class State, class S, class D>
concept HasVirtualKeysValues = requires(State const& s, LayerAddress l, AttentionKind k, BankList<S, D>& b) {
  s.virtual_keys_values(l, k, b);
};
template <class State, class S, class D>
concept HasProject = requires(State const& s, SiteAddress a, Variable<S, D> const& v, LinearMap<S, D> l, Rows const& r) {
  s.project(a, v, l, r);
};
/// A state that says `static constexpr bool adds_to_products = true` promises that its `project` adds to what the linear map gives and
/// does not read it.
template <class State>
concept AddsToProducts = requires { requires State::adds_to_products; };
template <class State, class S, class D>
concept HasAfterSublayer = requires(State const& s, LayerAddress l, Sublayer u, Variable<S, D> const& v, Rows const& r) {
  s.after_sublayer(l, u, v, v, v, r);
};
template <class State, class S, class D>
concept HasAfterLayer = requires(State const& s, LayerAddress l, Variable<S, D> const& v, Rows const& r) { s.after_layer(l, v, r); };
template <class State>
concept HasTrained = requires(State const& s, SiteAddress a) { s.trained(a, Part::weight); State::trained_roles; };

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
