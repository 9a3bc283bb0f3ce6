/// @file
/// @brief Layer norm and RMS norm over rows, with their gradients. RMS norm is layer norm without the mean: `mean` is then null.
#pragma once

#include <graft/kernels/on.hpp>

namespace graft::kernels {

template <class Device, class Scalar>
struct Norm {
  static_assert(implemented<Device>, "the kernel Norm does not exist for this device yet");
};

template <class Scalar>
struct Norm<Cpu, Scalar> {
  /// y_ij = (x_ij - mean_i) · inverse_i · gain_j + bias_j with inverse_i = 1/√(mean_j (x_ij - mean_i)² + epsilon).
  /// Writes mean (if not null) and inverse, one number a row. A null gain is 1, a null bias 0; y may be x.
  static void norm(Scalar const* x, Scalar const* gain, Scalar const* bias, Scalar epsilon, Index rows, Index width, Scalar* y,
                   Scalar* mean, Scalar* inverse);
  /// dx for the statistics of the forward pass; dx may be dy.
  static void norm_backward(Scalar const* x, Scalar const* mean, Scalar const* inverse, Scalar const* gain, Scalar const* dy, Index rows,
                            Index width, Scalar* dx);
  /// dgain_j = Σ_i dy_ij · (x_ij - mean_i) · inverse_i
  static void norm_gain_gradient(Scalar const* x, Scalar const* mean, Scalar const* inverse, Scalar const* dy, Index rows, Index width,
                                 Scalar* dgain);
};

}  // namespace graft::kernels

#ifndef GRAFT_COMPILED
#include <graft/kernels/cpu/norm.hpp>
#endif
#ifndef __CUDACC__
#include <graft/kernels/bfloat16/norm.hpp>
#endif
