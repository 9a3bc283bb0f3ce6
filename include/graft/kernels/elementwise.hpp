/// @file
/// @brief y = f(a, b) over whole arrays: fill, add, scale, multiply.
#pragma once

#include <graft/kernels/on.hpp>

namespace graft::kernels {

template <class Device, class Scalar>
struct Elementwise {
  /// y_i = value
  static void fill(Scalar* y, Scalar value, Index size);
  /// y_i = a_i + b_i; y may be a or b.
  static void add(Scalar const* a, Scalar const* b, Scalar* y, Index size);
  /// y_i = factor · a_i; y may be a.
  static void scale(Scalar const* a, Scalar factor, Scalar* y, Index size);
  /// y_i = a_i · b_i; y may be a or b.
  static void multiply(Scalar const* a, Scalar const* b, Scalar* y, Index size);
  /// y_i += factor · a_i
  static void add_scaled(Scalar const* a, Scalar factor, Scalar* y, Index size);
};

}  // namespace graft::kernels

#if !defined(GRAFT_COMPILED) && !defined(__CUDACC__)
#include <graft/kernels/cpu/elementwise.hpp>
#endif
#ifndef __CUDACC__
#include <graft/kernels/bfloat16/elementwise.hpp>
#endif
