/// @file
/// @brief The sums and passes of an Adafactor update.
#pragma once

#include <graft/kernels/on.hpp>

namespace graft::kernels {

/// The numbers of one update that do not depend on the parameter's values.
struct AdafactorFactors {
  double keep;            ///< β̂₂, of the second moments; 1 − t^(−0.8)
  double epsilon;         ///< ε₁, added to squared gradients
  double gradient_scale;  ///< multiplies the gradient first (clipping by the global norm)
};

template <class Device, class Scalar>
struct Adafactor : HostOnly {
  static_assert(implemented<Device>, "the kernel Adafactor does not exist for this device yet");
  using In = Pointer<Device, Scalar const>;
  using Out = Pointer<Device, Scalar>;

  /// row_i ← keep·row_i + (1 − keep)·mean_j (g_ij² + ε), column_j likewise over i. g is [rows, width].
  static void adafactor_moments(In gradient, Index rows, Index width, AdafactorFactors const& factors, Out row, Out column);
  /// u_ij = g_ij / √(row_i · column_j / mean(row))
  static void adafactor_update(In gradient, In row, In column, Index rows, Index width, AdafactorFactors const& factors, Out update);
  /// second ← keep·second + (1 − keep)(g² + ε), u = g / √second: for vectors.
  static void adafactor_vector(In gradient, Index size, AdafactorFactors const& factors, Out second, Out update);
  /// θ ← keep·θ − factor·u, or with a first moment (not null): m ← β₁·m + (1 − β₁)·factor·u, θ ← keep·θ − m.
  static void adafactor_apply(Out parameter, In update, Out first, Index size, double factor, double beta1, double keep);
};

}  // namespace graft::kernels

#ifndef GRAFT_COMPILED
#include <graft/kernels/cpu/adafactor.hpp>
#endif
