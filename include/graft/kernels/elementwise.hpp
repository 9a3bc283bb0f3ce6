/// @file
/// @brief y = f(a, b) over whole arrays: fill, add, scale, multiply.
#pragma once

#include <graft/core/device.hpp>
#include <graft/core/types.hpp>
#include <graft/kernels/cuda_listed.hpp>

namespace graft::kernels {

/// y_i = value
template <class Scalar>
void fill(Cpu, Scalar* y, Scalar value, Index size);
/// y_i = a_i + b_i; y may be a or b.
template <class Scalar>
void add(Cpu, Scalar const* a, Scalar const* b, Scalar* y, Index size);
/// y_i = factor · a_i; y may be a.
template <class Scalar>
void scale(Cpu, Scalar const* a, Scalar factor, Scalar* y, Index size);
/// y_i = a_i · b_i; y may be a or b.
template <class Scalar>
void multiply(Cpu, Scalar const* a, Scalar const* b, Scalar* y, Index size);
/// y_i += factor · a_i
template <class Scalar>
void add_scaled(Cpu, Scalar const* a, Scalar factor, Scalar* y, Index size);

namespace cuda {
/// The same on a GPU; defined in kernels/cuda/elementwise.cuh.
template <class Scalar>
struct Elementwise {
  static void fill(Scalar* y, Scalar value, Index size);
  static void add(Scalar const* a, Scalar const* b, Scalar* y, Index size);
  static void scale(Scalar const* a, Scalar factor, Scalar* y, Index size);
  static void multiply(Scalar const* a, Scalar const* b, Scalar* y, Index size);
  static void add_scaled(Scalar const* a, Scalar factor, Scalar* y, Index size);
};
}  // namespace cuda

template <class Scalar>
void fill(Cuda, Scalar* y, Scalar value, Index size) {
  cuda::Listed<cuda::Elementwise, Scalar>::fill(y, value, size);
}
template <class Scalar>
void add(Cuda, Scalar const* a, Scalar const* b, Scalar* y, Index size) {
  cuda::Listed<cuda::Elementwise, Scalar>::add(a, b, y, size);
}
template <class Scalar>
void scale(Cuda, Scalar const* a, Scalar factor, Scalar* y, Index size) {
  cuda::Listed<cuda::Elementwise, Scalar>::scale(a, factor, y, size);
}
template <class Scalar>
void multiply(Cuda, Scalar const* a, Scalar const* b, Scalar* y, Index size) {
  cuda::Listed<cuda::Elementwise, Scalar>::multiply(a, b, y, size);
}
template <class Scalar>
void add_scaled(Cuda, Scalar const* a, Scalar factor, Scalar* y, Index size) {
  cuda::Listed<cuda::Elementwise, Scalar>::add_scaled(a, factor, y, size);
}

}  // namespace graft::kernels

#if !defined(GRAFT_COMPILED) && !defined(__CUDACC__)
#include <graft/kernels/cpu/elementwise.hpp>
#endif
