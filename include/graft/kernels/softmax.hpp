/// @file
/// @brief Softmax and its logarithm over the rows of a matrix, with their gradients.
#pragma once

#include <graft/kernels/on.hpp>

namespace graft::kernels {

template <class Device, class Scalar>
struct Softmax {
  using In = Pointer<Device, Scalar const>;
  using Out = Pointer<Device, Scalar>;

  /// y_ij = e^{x_ij - m_i} / Σ_k e^{x_ik - m_i} with m_i = max_k x_ik; y may be x.
  static void softmax(In x, Index rows, Index width, Out y);
  /// dx_ij = y_ij · (dy_ij - Σ_k dy_ik · y_ik) for the result y; dx may be dy.
  static void softmax_gradient(In y, In dy, Index rows, Index width, Out dx);
  /// y_ij = x_ij - m_i - ln Σ_k e^{x_ik - m_i}; y may be x.
  static void log_softmax(In x, Index rows, Index width, Out y);
  /// dx_ij = dy_ij - e^{y_ij} · Σ_k dy_ik for the result y; dx may be dy.
  static void log_softmax_gradient(In y, In dy, Index rows, Index width, Out dx);
};

}  // namespace graft::kernels

#if !defined(GRAFT_COMPILED) && !defined(__CUDACC__)
#include <graft/kernels/cpu/softmax.hpp>
#endif
