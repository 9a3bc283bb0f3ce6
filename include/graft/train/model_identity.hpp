/// @file
/// @brief What of the model itself decides a training's numbers: the strategy with all its settings, and the base's weights and
/// configuration.
#pragma once

#include <string>
#include <tuple>
#include <type_traits>

#include <graft/adaptation/parts.hpp>
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

}  // namespace detail

/// {"strategy": …, "base": {"weights": hash, "configuration": {…}}} of a `Transformer`, or what the model's own `identity()` gives; empty
/// for other models, whose parameters alone are compared. Settings come from the strategy's `visit`, so that none can be forgotten here.
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
    if constexpr (detail::has_strategy_json<Adaptation>())
      strategy = detail::strategy_json(model.settings());
    else
      strategy = {{"graft_type", std::string(Adaptation::name)}};
    if constexpr (requires { model.seed(); })
      if (model.seed()) strategy["seed"] = *model.seed();
    return {{"strategy", strategy},
            {"base", {{"weights", model.base()->weights_hash()}, {"configuration", base_configuration(model.base()->config())}}}};
  } else {
    return nlohmann::json::object();
  }
}

}  // namespace graft
