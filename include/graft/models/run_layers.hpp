/// @file
/// @brief All layers of a stack, one after the other; in a training that recomputes, each keeps its input alone.
#pragma once

#include <memory>
#include <utility>

#include <graft/autograd/recompute.hpp>
#include <graft/models/block.hpp>

namespace graft {
namespace detail {

/// What computing a layer again needs, whatever becomes of the model meanwhile.
template <Architecture A, class State, class Scalar, class Device>
struct KeptLayers {
  using Parts = ModelParts<A, State, Scalar, Device>;
  using Value = Variable<Scalar, Device>;
  using Number = ParameterOf<Scalar>;

  Base<A, Number, Device> base;
  WeightAccess<A, State, Scalar, Device> weights;
  typename Parts::Rotary rotary;
  PreparedStep<State, Number, Device> prepared;
  StackPass<Scalar, Device> pass;
  EncoderStates<Scalar, Device> source;

  KeptLayers(Base<A, Number, Device> kept_base, Parts const& parts, StackPass<Scalar, Device> const& kept_pass)
      : base(std::move(kept_base)),
        weights(parts.weights),
        rotary(parts.rotary),
        prepared(parts.prepared),
        pass(kept_pass) {
    if (pass.source) source = *pass.source;
  }

  /// `[tokens, width]` → `[tokens, width]`. @param again for the gradient alone
  [[nodiscard]] Value layer(LayerAddress at, Value const& input, bool again) const {
    Parts const parts{*base, weights, rotary, prepared};
    auto own = pass;
    if (pass.source) own.source = &source;
    if (again) own.observer = nullptr;  // it saw the layer the first time, and may be gone
    return Block<A, State, Scalar, Device>(parts, at, again)(input, own, false);  // [tokens, width]
  }
};

}  // namespace detail

/// All layers of a stack: `[tokens, width]` of its embeddings → `[queries, width]` of its last layer.
/// @param begin, end layers [begin, end) alone, `end` −1 for all: x is what the layer before `begin` gave
template <Architecture A, class State, class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> run_layers(Base<A, ParameterOf<Scalar>, Device> const& base,
                                                  ModelParts<A, State, Scalar, Device> const& parts,
                                                  Variable<Scalar, Device> x, StackPass<Scalar, Device>& pass,
                                                  int begin = 0, int end = -1) {
  using Value = Variable<Scalar, Device>;
  using Kept = detail::KeptLayers<A, State, Scalar, Device>;
  int const layers = static_cast<int>(parts.stack(pass.stack).layers);
  auto const kept = pass.out.recompute && !pass.cache ? std::make_shared<Kept const>(base, parts, pass) : nullptr;
  auto const observe = [&](LayerAddress at, QueryRange const& range) {
    if (pass.observer && pass.observer->states) pass.observer->states({at, x, pass.layout, range});  // [queries, width]
  };
  observe({pass.stack, -1}, pass.all.range);
  for (int layer = begin; layer < (end < 0 ? layers : end); ++layer) {
    LayerAddress const at{pass.stack, layer};
    bool const last = pass.stack == main_stack<A> && layer + 1 == layers;
    if (kept && !last)  // the last layer's backward pass comes first, and would compute it again at once
      x = recompute(
          x, [kept, at](Value const& input, bool again) { return kept->layer(at, input, again); });  // [tokens, width]
    else
      x = Block<A, State, Scalar, Device>(parts, at)(x, pass,
                                                     last);  // [queries, width]: of all tokens but in the last layer
    observe(at, last ? pass.last.range : pass.all.range);
  }
  return x;
}

}  // namespace graft
