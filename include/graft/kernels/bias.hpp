/// @file
/// @brief A vector added to every row, and its gradient.
#pragma once

#include <graft/core/device.hpp>
#include <graft/core/types.hpp>
#include <graft/kernels/cuda_listed.hpp>

namespace graft::kernels {

/// y_ij = x_ij + bias_j; y may be x.
template <class Scalar>
void add_bias(Cpu, Scalar const* x, Scalar const* bias, Index rows, Index width, Scalar* y);
/// y_ij += bias_j
template <class Scalar>
void add_to_rows(Cpu, Scalar const* bias, Index rows, Index width, Scalar* y);
/// y_j = Σ_i x_ij
template <class Scalar>
void sum_rows(Cpu, Scalar const* x, Index rows, Index width, Scalar* y);

namespace cuda {
/// The same on a GPU; defined in kernels/cuda/bias.cuh.
template <class Scalar>
struct Bias {
  static void add_bias(Scalar const* x, Scalar const* bias, Index rows, Index width, Scalar* y);
  static void add_to_rows(Scalar const* bias, Index rows, Index width, Scalar* y);
  static void sum_rows(Scalar const* x, Index rows, Index width, Scalar* y);
};
}  // namespace cuda

template <class Scalar>
void add_bias(Cuda, Scalar const* x, Scalar const* bias, Index rows, Index width, Scalar* y) {
  cuda::Listed<cuda::Bias, Scalar>::add_bias(x, bias, rows, width, y);
}
template <class Scalar>
void add_to_rows(Cuda, Scalar const* bias, Index rows, Index width, Scalar* y) {
  cuda::Listed<cuda::Bias, Scalar>::add_to_rows(bias, rows, width, y);
}
template <class Scalar>
void sum_rows(Cuda, Scalar const* x, Index rows, Index width, Scalar* y) {
  cuda::Listed<cuda::Bias, Scalar>::sum_rows(x, rows, width, y);
}

}  // namespace graft::kernels

#if !defined(GRAFT_COMPILED) && !defined(__CUDACC__)
#include <graft/kernels/cpu/bias.hpp>
#endif
