/// @file
/// @brief What a base's configuration changes in its computation, as one JSON object: the same for all spellings and
/// formats.
#pragma once

#include <optional>

#include <nlohmann/json.hpp>

#include <graft/io/configured_difference.hpp>
#include <graft/models/config.hpp>

namespace graft {

namespace detail {

// Their bodies are in configuration_json.hpp.
template <class>
[[nodiscard]] nlohmann::json configuration_json(ModelConfig const& config);
template <class>
[[nodiscard]] std::optional<ConfiguredDifference> first_difference(nlohmann::json const& a, nlohmann::json const& b);
#ifdef GRAFT_COMPILED_IO
extern template nlohmann::json configuration_json<void>(ModelConfig const&);
extern template std::optional<ConfiguredDifference> first_difference<void>(nlohmann::json const&,
                                                                           nlohmann::json const&);
#endif

}  // namespace detail

/// The values of a configuration that decide what the weights compute and that the weights' names and shapes do not
/// tell: heads, epsilon, activation, scales, rotary frequencies, … Limits (positions), token ids of generation and
/// names have no part in it. Real numbers are rounded to float32.
[[nodiscard]] inline nlohmann::json base_configuration(ModelConfig const& config) {
  return detail::configuration_json<void>(config);
}

/// The first difference between two objects of `base_configuration`; nothing where they mean the same. A value that one
/// of them does not have, as an earlier version's, is not compared.
[[nodiscard]] inline std::optional<ConfiguredDifference> configured_difference(nlohmann::json const& a,
                                                                               nlohmann::json const& b) {
  return detail::first_difference<void>(a, b);
}

}  // namespace graft

#ifndef GRAFT_COMPILED_IO
#include <graft/io/configuration_json.hpp>
#endif
