/// @file
/// @brief Attention over segments: softmax(scale · Q·Kᵀ + bias)·V for packed rows, without a stored [length, length]
/// matrix.
#pragma once

#include <graft/kernels/attention_operands.hpp>
#include <graft/kernels/on.hpp>

namespace graft::kernels {

template <class Device, class Scalar>
struct Attention {
  static_assert(implemented<Device>, "the kernel Attention does not exist for this device yet");
  using In = Pointer<Device, Scalar const>;
  using Out = Pointer<Device, Scalar>;
  using SumIn = Pointer<Device, SumOf<Scalar> const>;  ///< of softmax's denominators
  using SumOut = Pointer<Device, SumOf<Scalar>>;

  /// output [queries, heads · head_dim]; log_sum [queries, heads], the logarithm of each softmax's denominator (null:
  /// not wanted).
  static void attention(AttentionOperands<Scalar, Device> const& x, Out output, SumOut log_sum);
  /// Adds the gradients for `output_gradient` [queries, heads · head_dim]. Probabilities are computed again from
  /// `log_sum`, block by block (Dao et al. 2022).
  /// Storage that several rows share receives their sums in the order of rows: the same bits for any number of threads.
  static void attention_backward(AttentionOperands<Scalar, Device> const& x, In output, SumIn log_sum,
                                 In output_gradient, AttentionGradients<Scalar, Device> const& gradients);
};

/// The same on a GPU.
template <class Scalar>
struct Attention<Cuda, Scalar> {
  static constexpr bool narrow = true;
  using In = DevicePointer<Scalar const>;
  using Out = DevicePointer<Scalar>;
  using SumIn = DevicePointer<SumOf<Scalar> const>;  ///< of softmax's denominators
  using SumOut = DevicePointer<SumOf<Scalar>>;

  /// As for every device.
  static void attention(AttentionOperands<Scalar, Cuda> const& x, Out output, SumOut log_sum);
  /// As for every device.
  static void attention_backward(AttentionOperands<Scalar, Cuda> const& x, In output, SumIn log_sum, In output_gradient,
                                 AttentionGradients<Scalar, Cuda> const& gradients);
};

}  // namespace graft::kernels

#if !defined(GRAFT_COMPILED) && !defined(__CUDACC__)
#include <graft/kernels/cpu/attention.hpp>
#endif
#ifndef __CUDACC__
#include <graft/kernels/bfloat16/attention.hpp>
#endif
