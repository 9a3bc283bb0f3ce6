/// @file
/// @brief A vector added to every row, and its gradient.
#pragma once

#include <graft/kernels/on.hpp>

namespace graft::kernels {

template <class Device, class Scalar>
struct Bias {
  using In = Pointer<Device, Scalar const>;
  using Out = Pointer<Device, Scalar>;

  /// y_ij = x_ij + bias_j; y may be x.
  static void add_bias(In x, In bias, Index rows, Index width, Out y);
  /// y_ij += bias_j
  static void add_to_rows(In bias, Index rows, Index width, Out y);
  /// y_j = Σ_i x_ij
  static void sum_rows(In x, Index rows, Index width, Out y);
};

}  // namespace graft::kernels

#if !defined(GRAFT_COMPILED) && !defined(__CUDACC__)
#include <graft/kernels/cpu/bias.hpp>
#endif
#ifndef __CUDACC__
#include <graft/kernels/bfloat16/bias.hpp>
#endif
