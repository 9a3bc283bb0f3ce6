/// @file
/// @brief Whether float32 products on a GPU may give up digits for speed: a choice of the program's, never made for it.
#pragma once

#include <atomic>

namespace graft {

namespace detail {
inline std::atomic<bool> tf32{false};
}  // namespace detail

/// Whether a GPU may multiply float32 matrices as TF32: operands with 10 bits of fraction instead of 23, sums in
/// float32. Off at first. It holds for products that are asked for from now on, by any thread; those of float64 and
/// bfloat16, and the host's, are what they are.
inline void allow_tf32(bool allowed = true) noexcept { detail::tf32 = allowed; }
/// Whether it is on.
[[nodiscard]] inline bool tf32_allowed() noexcept { return detail::tf32; }

}  // namespace graft
