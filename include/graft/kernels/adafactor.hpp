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
struct Adafactor {
  static_assert(implemented<Device>, "the kernel Adafactor does not exist for this device yet");
};

template <class Scalar>
struct Adafactor<Cpu, Scalar> {
  /// row_i ← keep·row_i + (1 − keep)·mean_j (g_ij² + ε), column_j likewise over i. g is [rows, width].
  static void adafactor_moments(Scalar const* gradient, Index rows, Index width, AdafactorFactors const& factors, Scalar* row,
                                Scalar* column);
  /// u_ij = g_ij / √(row_i · column_j / mean(row))
  static void adafactor_update(Scalar const* gradient, Scalar const* row, Scalar const* column, Index rows, Index width,
                               AdafactorFactors const& factors, Scalar* update);
  /// second ← keep·second + (1 − keep)(g² + ε), u = g / √second: for vectors.
  static void adafactor_vector(Scalar const* gradient, Index size, AdafactorFactors const& factors, Scalar* second, Scalar* update);
  /// θ ← keep·θ − factor·u, or with a first moment (not null): m ← β₁·m + (1 − β₁)·factor·u, θ ← keep·θ − m.
  static void adafactor_apply(Scalar* parameter, Scalar const* update, Scalar* first, Index size, double factor, double beta1, double keep);
};

}  // namespace graft::kernels

#ifndef GRAFT_COMPILED
#include <graft/kernels/cpu/adafactor.hpp>
#endif
