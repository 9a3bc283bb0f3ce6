/// @file
/// @brief Σ x², as norms need it.
#pragma once

#include <graft/core/device.hpp>
#include <graft/core/types.hpp>
#include <graft/kernels/cuda_listed.hpp>

namespace graft::kernels {

/// Σ x_i² in double, in an order that depends on `size` alone. NaN or infinite if an element is.
template <class Scalar>
[[nodiscard]] double sum_squares(Cpu, Scalar const* x, Index size);

namespace cuda {
/// The same on a GPU, by Thrust; waits for the device. Defined in kernels/cuda/sum_squares.cuh.
template <class Scalar>
struct SumSquares {
  static double sum_squares(Scalar const* x, Index size);
};
}  // namespace cuda

template <class Scalar>
[[nodiscard]] double sum_squares(Cuda, Scalar const* x, Index size) {
  return cuda::Listed<cuda::SumSquares, Scalar>::sum_squares(x, size);
}

}  // namespace graft::kernels

#if !defined(GRAFT_COMPILED) && !defined(__CUDACC__)
#include <graft/kernels/cpu/sum_squares.hpp>
#endif
