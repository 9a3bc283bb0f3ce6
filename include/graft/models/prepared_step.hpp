/// @file
/// @brief A prepared step: what a strategy computes once, as a value that every pass of the step reads.
#pragma once

#include <algorithm>
#include <memory>
#include <utility>

#include <graft/adaptation/call_hooks.hpp>
#include <graft/core/error.hpp>

namespace graft {

/// What `Transformer::prepare` gives. Steps may overlap, on one thread or several. What a
/// strategy does not compute in `prepare` is read from its parameters when a pass runs; they change between steps only.
template <class State, class Scalar, class Device>
struct PreparedStep {
  std::shared_ptr<State const> state;    ///< null where the adaptation is disabled
  StepOf<State> step;                    ///< what its `prepare` returned
  Additions additions;                   ///< to the rows of those `adapters`
  EmbeddingList<Scalar, Device> tokens;  ///< `[count, width]` of each of `additions.tokens`
  std::vector<Index> adapters;           ///< those it was prepared for, ascending; empty for all
};

/// Runs a state's `prepare`, and asks for what it adds to rows.
/// @throws ShapeError for virtual tokens that are not as they were announced
template <class Scalar, class Device, class State>
[[nodiscard]] PreparedStep<State, Scalar, Device> prepare_step(std::shared_ptr<State const> state,
                                                               StepContext const& context) {
  PreparedStep<State, Scalar, Device> prepared;
  if (!state) return prepared;
  prepared.step = detail::call_prepare(*state, context);
  prepared.adapters = context.adapters;
  if constexpr (HasAnnounce<State>) state->announce(prepared.additions);
  auto const unneeded = [&](auto const& group) {
    return !context.adapters.empty() && group.adapter != Additions::every_row &&
           !std::binary_search(context.adapters.begin(), context.adapters.end(), group.adapter);
  };
  std::erase_if(prepared.additions.tokens, unneeded);
  std::erase_if(prepared.additions.keys, unneeded);
  if constexpr (HasVirtualTokens<State, Scalar, Device>)
    detail::call_virtual_tokens(*state, prepared.step, prepared.tokens);
  bool const same = std::equal(prepared.tokens.begin(), prepared.tokens.end(), prepared.additions.tokens.begin(),
                               prepared.additions.tokens.end(), [](auto const& given, auto const& announced) {
                                 return given.rows() == announced.count;
                               });
  if (!same)
    fail<ShapeError>("[transformer] got ", prepared.tokens.size(), " groups of virtual tokens for ",
                     prepared.additions.tokens.size(),
                     " announced ones; expected the same groups with as many tokens; hint: announce and virtual_tokens "
                     "of the strategy");
  prepared.state = std::move(state);
  return prepared;
}

}  // namespace graft
