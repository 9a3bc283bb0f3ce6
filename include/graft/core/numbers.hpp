/// @file
/// @brief Which counts and real numbers settings may ask for: the same ones everywhere.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

#include <graft/core/error.hpp>
#include <graft/core/types.hpp>

namespace graft {

/// The greatest count that settings may ask for: products of two fit an `Index`.
inline constexpr Index most_of_anything = std::numeric_limits<std::int32_t>::max();
/// The same in a message that has "expected" before it.
inline constexpr char const* at_most_of_anything = "at most 2147483647";
static_assert(most_of_anything == 2147483647);

/// Whether a float can hold the number: computations are in float. NaN fits nothing.
[[nodiscard]] inline bool fits_float(double value) {
  return std::abs(value) <= static_cast<double>(std::numeric_limits<float>::max());
}

/// @throws ConfigError in the name of `owner` where the count is more than `most_of_anything`
inline void check_count(char const* owner, char const* name, Index value) {
  if (value > most_of_anything)
    fail<ConfigError>("[", owner, "] got ", name, " ", value, "; expected ", at_most_of_anything);
}
/// @throws ConfigError in the name of `owner` for NaN and what no float can hold
inline void check_finite(char const* owner, char const* name, double value) {
  if (!fits_float(value)) fail<ConfigError>("[", owner, "] got ", name, " ", value, "; expected a finite number");
}
/// @throws ConfigError in the name of `owner` for what is not a share of a whole
inline void check_share(char const* owner, char const* name, double value) {
  if (!(value >= 0 && value <= 1)) fail<ConfigError>("[", owner, "] got ", name, " ", value, "; expected 0 to 1");
}

}  // namespace graft
