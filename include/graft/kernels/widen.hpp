/// @file
/// @brief y_i = x_i in the type that is computed with.
#pragma once

#include <graft/core/device_pointer.hpp>
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
  static void widen(DevicePointer<float const> x, DevicePointer<To> y, Index size);
  static void widen(DevicePointer<double const> x, DevicePointer<To> y, Index size);
  static void widen(DevicePointer<bfloat16 const> x, DevicePointer<To> y, Index size);
  static void widen(DevicePointer<half const> x, DevicePointer<To> y, Index size);
};
}  // namespace cuda

template <class From, class To>
void widen(Cuda, DevicePointer<From> x, DevicePointer<To> y, Index size) {
  cuda::Listed<cuda::Widen, To>::widen(x, y, size);
}

}  // namespace graft::kernels

#if !defined(GRAFT_COMPILED) && !defined(__CUDACC__)
#include <graft/kernels/cpu/widen.hpp>
#endif
