/// @file
/// @brief Overflow-safe sizes: every number that comes out of a file is added and multiplied through these.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

namespace graft {

/// a + b, or nothing if it does not fit.
[[nodiscard]] inline std::optional<std::uint64_t> checked_add(std::uint64_t a, std::uint64_t b) noexcept {
  std::uint64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) return std::nullopt;
  return sum;
}

/// a · b, or nothing if it does not fit.
[[nodiscard]] inline std::optional<std::uint64_t> checked_multiply(std::uint64_t a, std::uint64_t b) noexcept {
  std::uint64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) return std::nullopt;
  return product;
}

/// `value` rounded up to a multiple of `alignment` (≥ 1), or nothing if it does not fit.
[[nodiscard]] inline std::optional<std::uint64_t> checked_align(std::uint64_t value, std::uint64_t alignment) noexcept {
  std::uint64_t const rest = value % alignment;
  return rest == 0 ? value : checked_add(value, alignment - rest);
}

/// Number of elements of a shape (1 for rank 0), or nothing if a dimension is negative or the product of the dimensions
/// that are not zero leaves int64: strides computed from an accepted shape cannot overflow.
[[nodiscard]] inline std::optional<std::uint64_t> checked_elements(std::vector<std::int64_t> const& shape) noexcept {
  std::uint64_t product = 1;
  bool empty = false;
  for (std::int64_t const extent : shape) {
    if (extent < 0) return std::nullopt;
    empty = empty || extent == 0;
    if (extent == 0) continue;
    auto const next = checked_multiply(product, static_cast<std::uint64_t>(extent));
    if (!next || *next > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return std::nullopt;
    product = *next;
  }
  return empty ? 0 : product;
}

}  // namespace graft
