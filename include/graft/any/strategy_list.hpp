/// @file
/// @brief The list of strategies as a type, and what is known of its entries.
#pragma once

#include <string_view>
#include <type_traits>
#include <variant>

#include <graft/adaptation/parts.hpp>
#include <graft/adaptation/visit_settings.hpp>
#include <graft/nn/model_info.hpp>

namespace graft::any {

/// Types in a row, without objects of them.
template <class... Types>
struct TypeList {};

namespace detail {

template <class List, class Type>
struct Added;
template <class... Types, class Type>
struct Added<TypeList<Types...>, Type> {
  using type = std::conditional_t<(std::is_same_v<Types, Type> || ...), TypeList<Types...>, TypeList<Types..., Type>>;
};
/// A list with the types that it lacks.
template <class List, class... Types>
struct Union {
  using type = List;
};
template <class List, class First, class... Rest>
struct Union<List, First, Rest...> : Union<typename Added<List, First>::type, Rest...> {};

template <class List>
struct VariantOf;
template <class... Types>
struct VariantOf<TypeList<Types...>> {
  using type = std::variant<Types...>;
};

template <class Settings>
[[nodiscard]] constexpr bool described() {
  if constexpr (IsComposed<Settings>::value)
    return true;
  else
    return VisitedSettings<Settings>;
}

}  // namespace detail

/// An entry that is a strategy itself, or a preset: a type with `static settings()` that returns a strategy's.
template <class Entry>
concept Preset = requires { Entry::settings(); };

/// What a strategy is called on a command line: its `short_name` where it has one, else the `name` that files have.
template <class Entry>
[[nodiscard]] constexpr std::string_view entry_name() {
  if constexpr (requires { Entry::short_name; })
    return Entry::short_name;
  else
    return Entry::name;
}

/// The settings that an entry starts from where no model is known: a preset's, those that the strategy recommends, or
/// its defaults.
template <class Entry>
[[nodiscard]] auto entry_settings() {
  if constexpr (Preset<Entry>)
    return Entry::settings();
  else if constexpr (requires { Entry::recommended(); })
    return Entry::recommended();
  else
    return Entry{};
}
/// The same for a model, which a strategy's `recommended(ModelInfo const&)` may look at.
template <class Entry>
[[nodiscard]] auto entry_settings(ModelInfo const& model) {
  if constexpr (requires { Entry::recommended(model); })
    return Entry::recommended(model);
  else
    return entry_settings<Entry>();
}
template <class Entry>
using EntrySettings = decltype(entry_settings<Entry>());

/// Whether an entry is offered for classifiers, or for models that write texts: everything is, unless the entry says
/// `static constexpr bool for_classifiers = false` or `for_language_models = false`.
template <class Entry>
[[nodiscard]] constexpr bool offered(bool classifies) {
  if constexpr (requires { Entry::for_classifiers; })
    if (classifies) return Entry::for_classifiers;
  if constexpr (requires { Entry::for_language_models; })
    if (!classifies) return Entry::for_language_models;
  return true;
}

/// The strategies that are offered by name: each is a strategy or a preset.
template <class... Entries>
struct StrategyList {
  static_assert((requires {
                  Entries::name;
                  Entries::summary;
                  Entries::learning_rate;
                } && ...), "graft: an entry of a StrategyList has the static members name, summary and learning_rate");
  static_assert((detail::described<EntrySettings<Entries>>() && ...),
                "graft: the settings of an entry of a StrategyList have a static visit(self, visitor)");

  /// Each type of settings once.
  using Types = typename detail::Union<TypeList<>, EntrySettings<Entries>...>::type;
  using Settings = typename detail::VariantOf<Types>::type;

  /// Calls `f.template operator()<Entry>()` for every entry.
  template <class F>
  static void each(F const& f) {
    (f.template operator()<Entries>(), ...);
  }
};

namespace detail {

template <class List, class... More>
struct Appended;
template <class... Entries, class... More>
struct Appended<StrategyList<Entries...>, More...> {
  using type = StrategyList<Entries..., More...>;
};

/// Each type of settings of the entries that are offered for classifiers, or for models that write texts.
template <bool classifies, class List>
struct OfferedTypes;
template <bool classifies, class... Entries>
struct OfferedTypes<classifies, StrategyList<Entries...>> {
  template <class Entry>
  using Own = std::conditional_t<offered<Entry>(classifies), TypeList<EntrySettings<Entry>>, TypeList<>>;
  template <class Known, class...>
  struct Join {
    using type = Known;
  };
  template <class Known, class... One, class... Rest>
  struct Join<Known, TypeList<One...>, Rest...> : Join<typename Union<Known, One...>::type, Rest...> {};
  using type = typename Join<TypeList<>, Own<Entries>...>::type;
};

}  // namespace detail

/// A list with more entries: `Append<Strategies, MyStrategy>`.
template <class List, class... Entries>
using Append = typename detail::Appended<List, Entries...>::type;

}  // namespace graft::any
