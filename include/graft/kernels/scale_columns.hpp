/// @file
/// @brief Every column, or every row, of a matrix multiplied by a number of its own, and the gradient of the numbers.
#pragma once

#include <graft/kernels/on.hpp>

namespace graft::kernels {

template <class Device, class Scalar>
struct ScaleColumns {
  static_assert(implemented<Device>, "the kernel ScaleColumns does not exist for this device yet");
};

template <class Scalar>
struct ScaleColumns<Cpu, Scalar> {
  /// y_ij = x_ij · gain_j; y may be x.
  static void scale_columns(Scalar const* x, Scalar const* gain, Index rows, Index width, Scalar* y);
  /// y_ij = x_ij · gain_i; y may be x.
  static void scale_rows(Scalar const* x, Scalar const* gain, Index rows, Index width, Scalar* y);
  /// dgain_j = Σ_i dy_ij · x_ij, in a fixed order.
  static void scale_columns_gain_gradient(Scalar const* x, Scalar const* dy, Index rows, Index width, Scalar* dgain);
};

}  // namespace graft::kernels

#ifndef GRAFT_COMPILED
#include <graft/kernels/cpu/scale_columns.hpp>
#endif
