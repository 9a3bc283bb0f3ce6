/// @file
/// @brief Layer norm and RMS norm over rows, with their gradients. RMS norm is layer norm without the mean: `mean` is
/// then null.
#pragma once

#include <graft/core/precision.hpp>
#include <graft/kernels/on.hpp>

namespace graft::kernels {

template <class Device, class Scalar>
struct Norm {
  static constexpr bool narrow = true;
  using In = Pointer<Device, Scalar const>;
  using Out = Pointer<Device, Scalar>;
  using SumIn = Pointer<Device, SumOf<Scalar> const>;  ///< of statistics, gain, bias and their gradients
  using SumOut = Pointer<Device, SumOf<Scalar>>;

  /// y_ij = (x_ij - mean_i) · inverse_i · gain_j + bias_j with inverse_i = 1/√(mean_j (x_ij - mean_i)² + epsilon).
  /// Writes mean (if not null) and inverse, one number a row. A null gain is 1, a null bias 0; y may be x.
  static void norm(In x, SumIn gain, SumIn bias, SumOf<Scalar> epsilon, Index rows, Index width, Out y, SumOut mean,
                   SumOut inverse);
  /// dx for the statistics of the forward pass; dx may be dy.
  static void norm_backward(In x, SumIn mean, SumIn inverse, SumIn gain, In dy, Index rows, Index width, Out dx);
  /// dgain_j = Σ_i dy_ij · (x_ij - mean_i) · inverse_i
  static void norm_gain_gradient(In x, SumIn mean, SumIn inverse, In dy, Index rows, Index width, SumOut dgain);
};

}  // namespace graft::kernels

#if !defined(GRAFT_COMPILED) && !defined(__CUDACC__)
#include <graft/kernels/cpu/norm.hpp>
#endif
#ifndef __CUDACC__
#include <graft/kernels/bfloat16/norm.hpp>
#endif
