/// @file
/// @brief What of the model itself decides a training's numbers: the strategy with all its settings, and the base's
/// weights and configuration.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <graft/adaptation/parts.hpp>
#include <graft/adaptation/settings_list.hpp>
#include <graft/core/dtype.hpp>
#include <graft/io/adapter_format.hpp>
#include <graft/io/base_configuration.hpp>
#include <graft/io/settings_json.hpp>

namespace graft {

namespace detail {

/// Whether `visit` names all settings of a strategy, or of a composition's parts: else only its name is known.
template <class Adaptation>
[[nodiscard]] constexpr bool has_strategy_json() {
  if constexpr (IsComposed<Adaptation>::value)
    return []<class... Parts>(std::tuple<Parts...> const*) {
      return (has_strategy_json<Parts>() && ...);
    }(static_cast<decltype(Adaptation::parts) const*>(nullptr));
  else
    return VisitedSettings<Adaptation>;
}

/// The settings of the adapters that a table holds, by their numbers.
[[nodiscard]] inline nlohmann::json adapter_json(std::vector<Setting> const& settings) {
  nlohmann::json json = nlohmann::json::object();
  for (auto const& [path, value] : settings)
    std::visit(
        [&, &name = path](auto const& own) {
          if constexpr (std::is_same_v<std::remove_cvref_t<decltype(own)>, std::monostate>)
            json[name] = nullptr;
          else
            json[name] = own;
        },
        value);
  return json;
}
/// Of all tables among a model's strategies; null without any.
template <class Model>
[[nodiscard]] nlohmann::json adapters_json(Model const& model) {
  nlohmann::json adapters;
  if constexpr (requires { model.state(); }) {
    using Adaptation = std::remove_cvref_t<decltype(model.settings())>;
    each_part_state<Adaptation>(model.state(), [&](auto const& state, std::string const& prefix) {
      if constexpr (requires { state.each_settings([](Index, std::vector<Setting> const&) {}); }) {
        if (adapters.is_null()) adapters = nlohmann::json::object();
        state.each_settings(
            [&](Index number, auto const& settings) { adapters[cat(prefix, number)] = adapter_json(settings); });
      }
    });
  }
  return adapters;
}

/// Puts an identity together; a null strategy is one of which the name alone is known, null adapters are none.
template <class>
[[nodiscard]] nlohmann::json identity_json(nlohmann::json strategy, std::string const& name,
                                           std::optional<std::uint64_t> seed, std::string const& weights,
                                           ModelConfig const& config, nlohmann::json adapters) {
  if (strategy.is_null()) strategy["graft_type"] = name;
  if (seed) strategy["seed"] = *seed;
  nlohmann::json identity;
  identity["strategy"] = std::move(strategy);
  identity["base"]["weights"] = weights;
  identity["base"]["configuration"] = base_configuration(config);
  if (!adapters.is_null()) identity["adapters"] = std::move(adapters);
  return identity;
}
#ifdef GRAFT_COMPILED_IO
extern template nlohmann::json identity_json<void>(nlohmann::json, std::string const&, std::optional<std::uint64_t>,
                                                   std::string const&, ModelConfig const&, nlohmann::json);
#endif

}  // namespace detail

/// {"strategy": …, "base": {"weights": hash, "configuration": {…}}} of a `Transformer`, with the settings of a table's
/// "adapters", and "precision": {"activations": "float32"}; or what the
/// model's own `identity()` gives; empty for other models, whose parameters alone are compared. Settings come from the
/// strategy's `visit`, so that none can be forgotten here.
template <class Model>
[[nodiscard]] nlohmann::json model_identity(Model const& model) {
  if constexpr (requires { nlohmann::json(model.identity()); }) {
    return model.identity();
  } else if constexpr (requires {
                         model.settings();
                         model.base()->weights_hash();
                       }) {
    using Adaptation = std::remove_cvref_t<decltype(model.settings())>;
    nlohmann::json strategy;
    if constexpr (detail::has_strategy_json<Adaptation>()) strategy = detail::strategy_json(model.settings());
    std::optional<std::uint64_t> seed;
    if constexpr (requires { model.seed(); }) seed = model.seed();
    auto identity =
        detail::identity_json<void>(std::move(strategy), std::string(Adaptation::name), seed,
                                    model.base()->weights_hash(), model.base()->config(), detail::adapters_json(model));
    if constexpr (requires { typename Model::activation_type; })
      identity["precision"]["activations"] = dtype_name(dtype_of<typename Model::activation_type>);
    return identity;
  } else {
    return nlohmann::json::object();
  }
}

}  // namespace graft
