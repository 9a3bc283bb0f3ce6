/// @file
/// @brief The most probable tokens of rows of logits, so that a search need not see all of a vocabulary.
#pragma once

#include <graft/kernels/on.hpp>

namespace graft::kernels {

template <class Device, class Scalar>
struct TopTokens {
  using In = Pointer<Device, Scalar const>;
  using Out = Pointer<Device, Scalar>;

  /// So many numbers are written for each row.
  [[nodiscard]] static constexpr Index width(Index count) { return 1 + 2 * count; }

  /// Of each of `rows` rows of logits z `[rows, vocabulary]`: log Σ_v exp z_v; then the `count` largest logits, of
  /// equal ones that of the lower token first; then their tokens as numbers of the same type (exact in float up to
  /// 2^24). Logits of −∞ are none: where fewer than `count` are left, −∞ with token −1. A row with NaN or +∞ has NaN as
  /// its first number.
  static void top_tokens(In logits, Index rows, Index vocabulary, Index count, Out y);
};

}  // namespace graft::kernels

#if !defined(GRAFT_COMPILED) && !defined(__CUDACC__)
#include <graft/kernels/cpu/top_tokens.hpp>
#endif
