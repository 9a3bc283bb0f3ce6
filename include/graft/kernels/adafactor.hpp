/// @file
/// @brief The sums and passes of an Adafactor update.
#pragma once

#include <graft/kernels/on.hpp>

namespace graft::kernels {

/// The numbers of one update that do not depend on the parameter's values.
template <class Device>
struct AdafactorFactors {
  double keep;                                   ///< β̂₂, of the second moments; 1 − t^(−0.8)
  double epsilon;                                ///< ε₁, added to squared gradients
  Pointer<Device, double const> gradient_scale;  ///< the number multiplies the gradient first (clipping; null for 1)
};
/// How far the update goes. α = rate, or rate · max(ε₂, RMS(θ)) where Σθ² is given; the update is divided by max(1,
/// RMS(u) / threshold).
template <class Device>
struct AdafactorRate {
  double rate;
  Pointer<Device, double const> parameter_squares;  ///< Σθ²; null: the rate is absolute
  Pointer<Device, double const> update_squares;     ///< Σu²
  double epsilon, threshold, beta1, weight_decay;
};

template <class Device, class Scalar>
struct Adafactor {
  using In = Pointer<Device, Scalar const>;
  using Out = Pointer<Device, Scalar>;

  /// row_i ← keep·row_i + (1 − keep)·mean_j (g_ij² + ε), column_j likewise over i. g is [rows, width].
  static void adafactor_moments(In gradient, Index rows, Index width, AdafactorFactors<Device> const& factors, Out row,
                                Out column);
  /// u_ij = g_ij / √(row_i · column_j / mean(row))
  static void adafactor_update(In gradient, In row, In column, Index rows, Index width,
                               AdafactorFactors<Device> const& factors, Out update);
  /// second ← keep·second + (1 − keep)(g² + ε), u = g / √second: for vectors.
  static void adafactor_vector(In gradient, Index size, AdafactorFactors<Device> const& factors, Out second,
                               Out update);
  /// θ ← (1 − λ·α)·θ − α·u, or with a first moment (not null): m ← β₁·m + (1 − β₁)·α·u, θ ← (1 − λ·α)·θ − m; u divided
  /// as `how` says.
  static void adafactor_apply(Out parameter, In update, Out first, Index size, AdafactorRate<Device> const& how);
};

}  // namespace graft::kernels

#if !defined(GRAFT_COMPILED) && !defined(__CUDACC__)
#include <graft/kernels/cpu/adafactor.hpp>
#endif
