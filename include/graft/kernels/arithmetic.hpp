/// @file
/// @brief Differences, quotients and the logistic function over whole arrays, with what their gradients need.
#pragma once

#include <graft/kernels/on.hpp>

namespace graft::kernels {

template <class Device, class Scalar>
struct Arithmetic {
  using In = Pointer<Device, Scalar const>;
  using Out = Pointer<Device, Scalar>;

  /// y_i = a_i - b_i; y may be a or b.
  static void subtract(In a, In b, Out y, Index size);
  /// y_i = a_i / b_i; y may be a or b.
  static void divide(In a, In b, Out y, Index size);
  /// db_i = -dy_i · y_i / b_i for the quotient y; db may be dy.
  static void divisor_gradient(In y, In b, In dy, Out db, Index size);
  /// y_i = 1 / (1 + e^{-x_i}); y may be x.
  static void sigmoid(In x, Out y, Index size);
  /// dx_i = dy_i · y_i · (1 - y_i) for the result y; dx may be dy.
  static void sigmoid_gradient(In y, In dy, Out dx, Index size);
};

}  // namespace graft::kernels

#if !defined(GRAFT_COMPILED) && !defined(__CUDACC__)
#include <graft/kernels/cpu/arithmetic.hpp>
#endif
