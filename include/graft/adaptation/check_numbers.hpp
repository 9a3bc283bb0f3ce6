/// @file
/// @brief Numbers of a strategy's settings are checked before anything is computed from them.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <string_view>
#include <type_traits>

#include <graft/core/error.hpp>
#include <graft/core/types.hpp>

namespace graft {

/// The greatest count that settings may ask for: products of two fit an `Index`.
inline constexpr Index most_of_anything = std::numeric_limits<std::int32_t>::max();

namespace detail {

/// Checks one field of the settings called `owner`, and the fields of settings in it.
struct NumberCheck {
  char const* owner;

  template <class T>
  void operator()(char const* name, T const& value) const {
    if constexpr (std::is_floating_point_v<T>) {
      std::string_view const field(name);
      // A float has to hold it; what is not a number fits nothing. Strategies check a dropout themselves.
      if (field != "dropout" && !(std::abs(value) <= static_cast<T>(std::numeric_limits<float>::max()))) refuse(name, value, "a finite number");
      if (field == "init_deviation" && value < 0) refuse(name, value, "0 or more");
      if (field == "share" && !(value >= 0 && value <= 1)) refuse(name, value, "0 to 1");
    } else if constexpr (std::is_same_v<T, Index>) {
      if (value > most_of_anything) refuse(name, value, "at most 2147483647");
    } else if constexpr (requires { T::visit(value, *this); }) {
      if constexpr (requires { T::name; })
        T::visit(value, NumberCheck{T::name});
      else
        T::visit(value, *this);
    } else if constexpr (requires { value.has_value(); }) {
      if (value) (*this)(name, *value);
    }
  }
  template <class T>
  [[noreturn]] void refuse(char const* name, T value, char const* expected) const {
    fail<ConfigError>("[", owner, "] got ", name, " ", value, "; expected ", expected);
  }
};

}  // namespace detail

/// @throws ConfigError naming the first field of a strategy's settings whose number cannot be meant: not finite, or beyond any model's size.
/// Settings without `visit` are passed over.
template <class Settings>
void check_numbers(Settings const& settings) {
  detail::NumberCheck const check{Settings::name};
  if constexpr (requires { Settings::visit(settings, check); }) Settings::visit(settings, check);
}

}  // namespace graft
