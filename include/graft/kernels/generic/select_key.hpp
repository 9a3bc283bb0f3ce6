/// @file
/// @brief Where a sum over the elements of a row, taken by descending key, reaches a bound: found without sorting.
#pragma once

#include <cstdint>
#include <type_traits>

#include <graft/kernels/row_team.hpp>

namespace graft::kernels::generic {

/// Keys are numbers of so many hexadecimal digits. Those of floating-point numbers have the order of the numbers.
template <class Scalar>
inline constexpr int key_digits = 2 * sizeof(Scalar);
[[nodiscard]] GRAFT_HOST_DEVICE inline int key_digits_of(Index largest) {
  int digits = 1;
  for (; largest >= 16; largest /= 16) ++digits;
  return digits;
}

/// A floating-point number's key.
template <class Scalar>
[[nodiscard]] GRAFT_HOST_DEVICE std::uint64_t key_of(Scalar x) {
  using Bits = std::conditional_t<sizeof(Scalar) == 4, std::uint32_t, std::uint64_t>;
  constexpr Bits sign = Bits{1} << (8 * sizeof(Bits) - 1);
  Bits const bits = x == 0 ? Bits{0} : __builtin_bit_cast(Bits, x);  // −0 is 0
  return bits & sign ? static_cast<Bits>(~bits) : bits | sign;
}

/// The key at which a sum reaches its bound.
struct SelectedKey {
  std::uint64_t key = 0;
  double above;      ///< the sum over all larger keys
  double total = 0;  ///< over all keys
};

/// Adds up value(j) ≥ 0 of j in [0, size) by descending key(j), on top of `above`, until reached(sum, total). Where
/// rounding keeps it from being reached, the last key with a value is the one. A histogram for each hexadecimal digit:
/// the digit where the bound lies is fixed, and the next one is looked at among the keys that begin so.
template <class Team, class Key, class Value, class Reached>
[[nodiscard]] GRAFT_HOST_DEVICE SelectedKey select_key(Team const& team, Index size, int digits, double above,
                                                       Key const& key, Value const& value, Reached const& reached) {
  SelectedKey found{0, above, 0};
  for (int digit = digits - 1; digit >= 0; --digit) {
    auto const beginning = found.key;
    auto const bin_of = [=](Index j) {
      std::uint64_t const start = key(j) >> (4 * digit);
      return start >> 4 == beginning ? static_cast<int>(start & 15) : -1;
    };
    Bins const bins = team.bins(size, bin_of, value);
    if (digit == digits - 1) {
      found.total = above;
      for (double sum : bins.sums) found.total += sum;
    }
    double sum = found.above;
    std::uint64_t here = 0;
    for (int bin = Bins::count - 1; bin >= 0; --bin) {
      if (!(bins.sums[bin] > 0)) continue;
      here = static_cast<std::uint64_t>(bin);
      found.above = sum;
      sum += bins.sums[bin];
      if (reached(sum, found.total)) break;
    }
    found.key = beginning << 4 | here;
  }
  return found;
}

}  // namespace graft::kernels::generic
