/// @file
/// @brief y = f(a, b) over whole arrays: fill, add, scale, multiply, exponentials and powers. Numbers of bfloat16 are
/// computed in float and rounded once.
#pragma once

#include <vector>

#include <graft/core/precision.hpp>
#include <graft/kernels/on.hpp>

namespace graft::kernels {

template <class Device, class Scalar>
struct Elementwise {
  static constexpr bool narrow = true;
  using In = Pointer<Device, Scalar const>;
  using Out = Pointer<Device, Scalar>;

  /// y_i = value
  static void fill(Out y, Scalar value, Index size);
  /// y_i = a_i + b_i; y may be a or b.
  static void add(In a, In b, Out y, Index size);
  /// y_i = factor · a_i; y may be a.
  static void scale(In a, SumOf<Scalar> factor, Out y, Index size);
  /// y_i = a_i · b_i; y may be a or b.
  static void multiply(In a, In b, Out y, Index size);
  /// y_i += factor · a_i
  static void add_scaled(In a, SumOf<Scalar> factor, Out y, Index size);
  /// y_i = e^{a_i}; y may be a.
  static void exp(In a, Out y, Index size);
  /// y_i = ln a_i; y may be a.
  static void log(In a, Out y, Index size);
  /// y_i = a_i^exponent; y may be a.
  static void power(In a, SumOf<Scalar> exponent, Out y, Index size);
  /// One array among several that are copied.
  struct Copy {
    In from;
    Out to;
    Index size;
  };
  /// Copies arrays that do not overlap: on a GPU by one launch.
  static void copy(std::vector<Copy> const& copies);
};

}  // namespace graft::kernels

#if !defined(GRAFT_COMPILED) && !defined(__CUDACC__)
#include <graft/kernels/cpu/elementwise.hpp>
#endif
