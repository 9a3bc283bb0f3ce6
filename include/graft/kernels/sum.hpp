/// @file
/// @brief Sums over whole arrays into one number, in a fixed order, and the gradients of such sums. Scalars stay on the device.
#pragma once

#include <graft/kernels/on.hpp>

namespace graft::kernels {

template <class Device, class Scalar>
struct Sum {
  /// result = Σ x_i
  static void sum(Scalar const* x, Index size, Scalar* result);
  /// result = Σ a_i · b_i
  static void dot(Scalar const* a, Scalar const* b, Index size, Scalar* result);
  /// result = factor · Σ (a_i - b_i)²
  static void squared_distance(Scalar const* a, Scalar const* b, Scalar factor, Index size, Scalar* result);
  /// y_i = d, the number at `d`
  static void broadcast(Scalar const* d, Scalar* y, Index size);
  /// y_i = d · a_i for the number at `d`
  static void scale_by(Scalar const* a, Scalar const* d, Scalar* y, Index size);
  /// y_i = d · factor · (a_i - b_i) for the number at `d`
  static void scaled_difference(Scalar const* a, Scalar const* b, Scalar const* d, Scalar factor, Scalar* y, Index size);
};

}  // namespace graft::kernels

#if !defined(GRAFT_COMPILED) && !defined(__CUDACC__)
#include <graft/kernels/cpu/sum.hpp>
#endif
