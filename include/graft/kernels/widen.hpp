/// @file
/// @brief y_i = x_i in the type that is computed with.
#pragma once

#include <graft/core/device.hpp>
#include <graft/core/types.hpp>
#include <graft/kernels/cuda_listed.hpp>

namespace graft::kernels {

/// Converts `size` stored elements (bfloat16, half, float or double) to `To`.
template <class From, class To>
void widen(Cpu, From const* x, To* y, Index size);

namespace cuda {
/// The same on a GPU; defined in kernels/cuda/widen.cuh.
template <class To>
struct Widen {
  static void widen(float const* x, To* y, Index size);
  static void widen(double const* x, To* y, Index size);
  static void widen(bfloat16 const* x, To* y, Index size);
  static void widen(half const* x, To* y, Index size);
};
}  // namespace cuda

template <class From, class To>
void widen(Cuda, From const* x, To* y, Index size) {
  cuda::Listed<cuda::Widen, To>::widen(x, y, size);
}

}  // namespace graft::kernels

#if !defined(GRAFT_COMPILED) && !defined(__CUDACC__)
#include <graft/kernels/cpu/widen.hpp>
#endif
