/// @file
/// @brief Every column, or every row, of a matrix multiplied by a number of its own, and the gradient of the numbers.
#pragma once

#include <graft/kernels/on.hpp>

namespace graft::kernels {

template <class Device, class Scalar>
struct ScaleColumns {
  using In = Pointer<Device, Scalar const>;
  using Out = Pointer<Device, Scalar>;

  /// y_ij = x_ij · gain_j; y may be x.
  static void scale_columns(In x, In gain, Index rows, Index width, Out y);
  /// y_ij = x_ij · gain_i; y may be x.
  static void scale_rows(In x, In gain, Index rows, Index width, Out y);
  /// dgain_j = Σ_i dy_ij · x_ij, in a fixed order.
  static void scale_columns_gain_gradient(In x, In dy, Index rows, Index width, Out dgain);
};

}  // namespace graft::kernels

#if !defined(GRAFT_COMPILED) && !defined(__CUDACC__)
#include <graft/kernels/cpu/scale_columns.hpp>
#endif
