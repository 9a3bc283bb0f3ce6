/// @file
/// @brief y = f(a, b) over whole arrays: fill, add, scale, multiply.
#pragma once

#include <graft/kernels/on.hpp>

namespace graft::kernels {

template <class Device, class Scalar>
struct Elementwise {
  using In = Pointer<Device, Scalar const>;
  using Out = Pointer<Device, Scalar>;

  /// y_i = value
  static void fill(Out y, Scalar value, Index size);
  /// y_i = a_i + b_i; y may be a or b.
  static void add(In a, In b, Out y, Index size);
  /// y_i = factor · a_i; y may be a.
  static void scale(In a, Scalar factor, Out y, Index size);
  /// y_i = a_i · b_i; y may be a or b.
  static void multiply(In a, In b, Out y, Index size);
  /// y_i += factor · a_i
  static void add_scaled(In a, Scalar factor, Out y, Index size);
};

}  // namespace graft::kernels

#if !defined(GRAFT_COMPILED) && !defined(__CUDACC__)
#include <graft/kernels/cpu/elementwise.hpp>
#endif
