/// @file
/// @brief Sums over whole arrays into one number, in a fixed order, and the gradients of such sums. Scalars stay on the
/// device.
#pragma once

#include <graft/kernels/on.hpp>

namespace graft::kernels {

template <class Device, class Scalar>
struct Sum {
  using In = Pointer<Device, Scalar const>;
  using Out = Pointer<Device, Scalar>;

  /// result = Σ x_i
  static void sum(In x, Index size, Out result);
  /// result = Σ a_i · b_i
  static void dot(In a, In b, Index size, Out result);
  /// result = factor · Σ (a_i - b_i)²
  static void squared_distance(In a, In b, Scalar factor, Index size, Out result);
  /// y_i = d, the number at `d`
  static void broadcast(In d, Out y, Index size);
  /// y_i = d · a_i for the number at `d`
  static void scale_by(In a, In d, Out y, Index size);
  /// y_i = d · factor · (a_i - b_i) for the number at `d`
  static void scaled_difference(In a, In b, In d, Scalar factor, Out y, Index size);
};

}  // namespace graft::kernels

#if !defined(GRAFT_COMPILED) && !defined(__CUDACC__)
#include <graft/kernels/cpu/sum.hpp>
#endif
