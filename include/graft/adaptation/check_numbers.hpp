/// @file
/// @brief Numbers of a strategy's settings are checked before anything is computed from them.
#pragma once

#include <string_view>
#include <type_traits>

#include <graft/adaptation/visit_settings.hpp>
#include <graft/core/error.hpp>
#include <graft/core/numbers.hpp>

namespace graft {

namespace detail {

/// Checks one field of the settings called `owner`, and the fields of settings in it.
struct NumberCheck {
  char const* owner;

  template <class T>
  void operator()(char const* name, T const& value, char const* = "") const {
    if constexpr (std::is_floating_point_v<T>) {
      std::string_view const field(name);
      if (field != "dropout") check_finite(owner, name, value);  // strategies check a dropout themselves
      if (field == "init_deviation" && value < 0)
        fail<ConfigError>("[", owner, "] got ", name, " ", value, "; expected 0 or more");
      if (field == "share") check_share(owner, name, value);
    } else if constexpr (std::is_same_v<T, Index>) {
      check_count(owner, name, value);
    } else if constexpr (VisitedSettings<T>) {
      if constexpr (requires { T::name; })
        T::visit(value, NumberCheck{T::name});
      else
        T::visit(value, *this);
    } else if constexpr (requires { value.has_value(); }) {
      if (value) (*this)(name, *value);
    }
  }
};

}  // namespace detail

/// @throws ConfigError naming the first field of a strategy's settings whose number cannot be meant: not finite, or
/// beyond any model's size. Settings without `visit` are passed over.
template <class Settings>
void check_numbers(Settings const& settings) {
  detail::NumberCheck const check{Settings::name};
  if constexpr (VisitedSettings<Settings>) Settings::visit(settings, check);
}

}  // namespace graft
