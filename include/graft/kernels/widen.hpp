/// @file
/// @brief y_i = x_i in the type that is computed with.
#pragma once

#include <graft/core/dtype.hpp>
#include <graft/kernels/on.hpp>

namespace graft::kernels {

template <class Device, class To>
struct Widen {
  /// Converts `size` stored elements to `To`.
  static void widen(Pointer<Device, float const> x, Pointer<Device, To> y, Index size);
  static void widen(Pointer<Device, double const> x, Pointer<Device, To> y, Index size);
  static void widen(Pointer<Device, bfloat16 const> x, Pointer<Device, To> y, Index size);
  static void widen(Pointer<Device, half const> x, Pointer<Device, To> y, Index size);
};

}  // namespace graft::kernels

#if !defined(GRAFT_COMPILED) && !defined(__CUDACC__)
#include <graft/kernels/cpu/widen.hpp>
#endif
