/// @file
/// @brief The single strategies that a composition is made of.
#pragma once

#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include <graft/adaptation/compose.hpp>

namespace graft {

template <class Adaptation>
struct IsComposed : std::false_type {};
template <class... Parts>
struct IsComposed<Composed<Parts...>> : std::true_type {};

/// Calls `f(state, prefix)` for a strategy's state, or for the state of each part of a composition (compositions in it
/// included) with the prefix that its parameters' names have, its place and a dot: "0.", "1.", …
template <class Adaptation, class State, class F>
void each_part_state(State& state, F const& f, std::string const& prefix = "") {
  if constexpr (IsComposed<Adaptation>::value) {
    [&]<std::size_t... i>(std::index_sequence<i...>) {
      (each_part_state<std::tuple_element_t<i, decltype(Adaptation::parts)>>(state.template part<i>(), f,
                                                                             cat(prefix, i, ".")),
       ...);
    }(std::make_index_sequence<std::tuple_size_v<decltype(Adaptation::parts)>>());
  } else {
    f(state, prefix);
  }
}

}  // namespace graft
