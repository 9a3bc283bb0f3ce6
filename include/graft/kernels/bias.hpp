/// @file
/// @brief A vector added to every row, and its gradient.
#pragma once

#include <graft/core/precision.hpp>
#include <graft/kernels/on.hpp>

namespace graft::kernels {

template <class Device, class Scalar>
struct Bias {
  static constexpr bool narrow = true;
  using In = Pointer<Device, Scalar const>;
  using Out = Pointer<Device, Scalar>;
  using SumIn = Pointer<Device, SumOf<Scalar> const>;  ///< of the vector and its gradient
  using SumOut = Pointer<Device, SumOf<Scalar>>;

  /// y_ij = x_ij + bias_j; y may be x.
  static void add_bias(In x, SumIn bias, Index rows, Index width, Out y);
  /// The same of sums that nobody has rounded yet, such as a product's: y_ij is rounded once.
  static void add_bias_to_sums(SumIn x, SumIn bias, Index rows, Index width, Out y);
  /// y_ij += bias_j
  static void add_to_rows(SumIn bias, Index rows, Index width, Out y);
  /// y_j = Σ_i x_ij
  static void sum_rows(In x, Index rows, Index width, SumOut y);
};

}  // namespace graft::kernels

#if !defined(GRAFT_COMPILED) && !defined(__CUDACC__)
#include <graft/kernels/cpu/bias.hpp>
#endif
