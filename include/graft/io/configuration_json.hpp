/// @file
/// @brief What base_configuration.hpp declares, once in graft::compiled.
#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include <graft/core/error.hpp>
#include <graft/io/configured_difference.hpp>
#include <graft/io/enum_names.hpp>
#include <graft/models/config.hpp>

namespace graft::detail {

/// The shortest decimal of the nearest float32: GGUF holds no more of a number.
[[nodiscard]] inline double as_stored(double value) {
  if (!(std::abs(value) <= static_cast<double>(std::numeric_limits<float>::max()))) return value;
  char text[64];
  auto const end = std::to_chars(text, text + sizeof text, static_cast<float>(value)).ptr;
  double shortest = value;
  std::from_chars(text, end, shortest);
  return shortest;
}

/// `base_configuration`.
template <class>
[[nodiscard]] nlohmann::json configuration_json(ModelConfig const& config) {
  nlohmann::json values{{"heads", config.heads},
                        {"kv_heads", config.kv_heads},
                        {"head_dim", config.head_dim},
                        {"activation", std::string(enum_name(config.activation))},
                        {"norm_epsilon", as_stored(config.norm_epsilon)},
                        {"embedding_scale", as_stored(config.embedding_scale)},
                        {"head_scale", as_stored(config.head_scale)},
                        {"position_offset", config.position_offset},
                        {"relative_max_distance", config.relative.max_distance},
                        {"scaled_attention", config.scaled_attention},
                        {"layer_scaled_attention", config.layer_scaled_attention}};
  if (config.encoder) {
    values.update({{"encoder_heads", config.encoder->heads},
                   {"encoder_kv_heads", config.encoder->kv_heads},
                   {"encoder_head_dim", config.encoder->head_dim},
                   {"decoder_start", config.decoder_start}});
  }
  if (!config.inverse_frequency.empty()) {
    auto& frequencies = values["rotary_frequencies"] = nlohmann::json::array();
    for (double const frequency : config.inverse_frequency) frequencies.push_back(as_stored(frequency));
  }
  return values;
}

/// Whether two values of configurations are the same but for a rounding to float32 on the way.
[[nodiscard]] inline bool same_configured(nlohmann::json const& a, nlohmann::json const& b) {
  if (!a.is_number() || !b.is_number()) return a == b;
  double const x = a.get<double>(), y = b.get<double>();
  return x == y || std::abs(x - y) <= 1e-6 * std::max(std::abs(x), std::abs(y));
}

/// `configured_difference`.
template <class>
[[nodiscard]] std::optional<ConfiguredDifference> first_difference(nlohmann::json const& a, nlohmann::json const& b) {
  if (!a.is_object() || !b.is_object()) return std::nullopt;
  for (auto const& [name, value] : a.items()) {
    auto const found = b.find(name);
    if (found == b.end()) continue;
    if (!value.is_array() || !found->is_array() || value.size() != found->size()) {
      if (!same_configured(value, *found)) return ConfiguredDifference{name, value, *found};
      continue;
    }
    for (std::size_t i = 0; i < value.size(); ++i)
      if (!same_configured(value[i], (*found)[i]))
        return ConfiguredDifference{cat(name, "[", i, "]"), value[i], (*found)[i]};
  }
  return std::nullopt;
}

}  // namespace graft::detail
