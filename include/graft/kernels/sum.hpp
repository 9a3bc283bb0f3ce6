/// @file
/// @brief Sums over whole arrays into one number, in a fixed order, and the gradients of such sums. Scalars stay on the device.
#pragma once

#include <graft/core/device.hpp>
#include <graft/core/types.hpp>
#include <graft/kernels/cuda_listed.hpp>

namespace graft::kernels {

/// result = Σ x_i
template <class Scalar>
void sum(Cpu, Scalar const* x, Index size, Scalar* result);
/// result = Σ a_i · b_i
template <class Scalar>
void dot(Cpu, Scalar const* a, Scalar const* b, Index size, Scalar* result);
/// result = factor · Σ (a_i - b_i)²
template <class Scalar>
void squared_distance(Cpu, Scalar const* a, Scalar const* b, Scalar factor, Index size, Scalar* result);
/// y_i = d, the number at `d`
template <class Scalar>
void broadcast(Cpu, Scalar const* d, Scalar* y, Index size);
/// y_i = d · a_i for the number at `d`
template <class Scalar>
void scale_by(Cpu, Scalar const* a, Scalar const* d, Scalar* y, Index size);
/// y_i = d · factor · (a_i - b_i) for the number at `d`
template <class Scalar>
void scaled_difference(Cpu, Scalar const* a, Scalar const* b, Scalar const* d, Scalar factor, Scalar* y, Index size);

namespace cuda {
/// The same on a GPU; defined in kernels/cuda/sum.cuh.
template <class Scalar>
struct Sum {
  static void sum(Scalar const* x, Index size, Scalar* result);
  static void dot(Scalar const* a, Scalar const* b, Index size, Scalar* result);
  static void squared_distance(Scalar const* a, Scalar const* b, Scalar factor, Index size, Scalar* result);
  static void broadcast(Scalar const* d, Scalar* y, Index size);
  static void scale_by(Scalar const* a, Scalar const* d, Scalar* y, Index size);
  static void scaled_difference(Scalar const* a, Scalar const* b, Scalar const* d, Scalar factor, Scalar* y, Index size);
};
}  // namespace cuda

template <class Scalar>
void sum(Cuda, Scalar const* x, Index size, Scalar* result) {
  cuda::Listed<cuda::Sum, Scalar>::sum(x, size, result);
}
template <class Scalar>
void dot(Cuda, Scalar const* a, Scalar const* b, Index size, Scalar* result) {
  cuda::Listed<cuda::Sum, Scalar>::dot(a, b, size, result);
}
template <class Scalar>
void squared_distance(Cuda, Scalar const* a, Scalar const* b, Scalar factor, Index size, Scalar* result) {
  cuda::Listed<cuda::Sum, Scalar>::squared_distance(a, b, factor, size, result);
}
template <class Scalar>
void broadcast(Cuda, Scalar const* d, Scalar* y, Index size) {
  cuda::Listed<cuda::Sum, Scalar>::broadcast(d, y, size);
}
template <class Scalar>
void scale_by(Cuda, Scalar const* a, Scalar const* d, Scalar* y, Index size) {
  cuda::Listed<cuda::Sum, Scalar>::scale_by(a, d, y, size);
}
template <class Scalar>
void scaled_difference(Cuda, Scalar const* a, Scalar const* b, Scalar const* d, Scalar factor, Scalar* y, Index size) {
  cuda::Listed<cuda::Sum, Scalar>::scaled_difference(a, b, d, factor, y, size);
}

}  // namespace graft::kernels

#if !defined(GRAFT_COMPILED) && !defined(__CUDACC__)
#include <graft/kernels/cpu/sum.hpp>
#endif
