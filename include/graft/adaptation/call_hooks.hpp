/// @file
/// @brief Calling a hook that takes the step as its last argument, or does without it.
#pragma once

#include <graft/adaptation/hooks.hpp>

namespace graft::detail {

template <class State, class Step, class... Arguments>
void call_virtual_tokens(State const& state, Step const& step, Arguments&... arguments) {
  if constexpr (requires { state.virtual_tokens(arguments..., step); })
    state.virtual_tokens(arguments..., step);
  else
    state.virtual_tokens(arguments...);
}
template <class State, class Step, class... Arguments>
void call_virtual_keys_values(State const& state, Step const& step, Arguments&... arguments) {
  if constexpr (requires { state.virtual_keys_values(arguments..., step); })
    state.virtual_keys_values(arguments..., step);
  else
    state.virtual_keys_values(arguments...);
}
template <class State, class Step, class... Arguments>
[[nodiscard]] auto call_project(State const& state, Step const& step, Arguments const&... arguments) {
  if constexpr (requires { state.project(arguments..., step); })
    return state.project(arguments..., step);
  else
    return state.project(arguments...);
}
template <class State, class Step, class... Arguments>
[[nodiscard]] auto call_after_sublayer(State const& state, Step const& step, Arguments const&... arguments) {
  if constexpr (requires { state.after_sublayer(arguments..., step); })
    return state.after_sublayer(arguments..., step);
  else
    return state.after_sublayer(arguments...);
}
template <class State, class Step, class... Arguments>
[[nodiscard]] auto call_after_layer(State const& state, Step const& step, Arguments const&... arguments) {
  if constexpr (requires { state.after_layer(arguments..., step); })
    return state.after_layer(arguments..., step);
  else
    return state.after_layer(arguments...);
}
/// The step of a state; empty where it prepares nothing.
template <class State>
[[nodiscard]] StepOf<State> call_prepare(State const& state, StepContext const& context) {
  if constexpr (HasPrepare<State>)
    return state.prepare(context);
  else
    return {};
}

}  // namespace graft::detail
