/// @file
/// @brief y_i = x_i in the type that is computed with.
#pragma once

#include <graft/core/dtype.hpp>
#include <graft/kernels/on.hpp>

namespace graft::kernels {

template <class Device, class To>
struct Widen {
  /// Converts `size` stored elements to `To`.
  static void widen(float const* x, To* y, Index size);
  static void widen(double const* x, To* y, Index size);
  static void widen(bfloat16 const* x, To* y, Index size);
  static void widen(half const* x, To* y, Index size);
};

}  // namespace graft::kernels

#if !defined(GRAFT_COMPILED) && !defined(__CUDACC__)
#include <graft/kernels/cpu/widen.hpp>
#endif
