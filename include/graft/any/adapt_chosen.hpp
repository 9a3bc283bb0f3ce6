/// @file
/// @brief `adapt_chosen<List>(base, choice, f)`: gives `f` the model of a strategy that is chosen at run time.
#pragma once

#include <concepts>
#include <memory>
#include <type_traits>
#include <variant>

#include <graft/adaptation/compose.hpp>
#include <graft/any/chosen.hpp>
#include <graft/models/adapt.hpp>

namespace graft::any {

namespace detail {

template <class Settings>
concept HasHeadSetting = requires(Settings const& settings) {
  { settings.head } -> std::convertible_to<bool>;
};

template <class Type, class List>
inline constexpr bool is_among = false;
template <class Type, class... Types>
inline constexpr bool is_among<Type, TypeList<Types...>> = (std::is_same_v<Type, Types> || ...);

}  // namespace detail

/// The settings of a list's strategies that are offered for an architecture.
template <class List, Architecture A>
using OfferedTo = typename detail::OfferedTypes<A::head == HeadKind::classifier, List>::type;

/// Calls `f(model)` with the base, on whatever device it is, adapted by a choice of the list. Models are compiled with
/// the settings of `Types` alone; a choice of others is refused. A strategy that trains a classifier's head itself
/// stands alone; others have one beside them.
/// @throws ConfigError as `check`
template <class List, class Types, Architecture A, class Scalar, class Device, class F>
void adapt_chosen(std::shared_ptr<Pretrained<A, Scalar, Device> const> const& base, Choice const& choice, F const& f) {
  constexpr bool classifies = A::head == HeadKind::classifier;
  auto const chosen = choose<List>(choice, base->info());
  std::visit(
      [&](auto const& settings) {
        using Settings = std::remove_cvref_t<decltype(settings)>;
        if constexpr (detail::is_among<Settings, Types>) {
          constexpr bool alone = std::is_same_v<Settings, NoAdaptation> || std::is_same_v<Settings, ClassificationHead>;
          if constexpr (classifies && !alone)
            if (chosen.head) return f(graft::adapt(base, compose(settings, *chosen.head), choice.seed));
          if constexpr (!classifies || alone || detail::HasHeadSetting<Settings>)
            return f(graft::adapt(base, settings, choice.seed));
        }
        fail<ConfigError>("[strategy] got ", Settings::name, " for a ", base->config().architecture,
                          " model; expected one that is offered for it");
      },
      chosen.settings);
}

}  // namespace graft::any
