/// @file
/// @brief Rows copied from, and added to, chosen places. The index arrays are in host memory on every device; a null one stands for 0, 1,
/// 2, ….
#pragma once

#include <graft/kernels/on.hpp>

namespace graft::kernels {

template <class Device, class Scalar>
struct Gather {
  static_assert(implemented<Device>, "the kernel Gather does not exist for this device yet");
};

template <class Scalar>
struct Gather<Cpu, Scalar> {
  /// y[to[k]] = x[from[k]] for k in [0, count); `to` has no repetitions.
  static void copy_rows(Scalar const* x, Index const* from, Scalar* y, Index const* to, Index count, Index width);
  /// y[to[k]] += x[from[k]], for equal targets in the order of k. `distinct` promises that `to` has no repetitions.
  static void add_rows(Scalar const* x, Index const* from, Scalar* y, Index const* to, bool distinct, Index count, Index width);
};

}  // namespace graft::kernels

#ifndef GRAFT_COMPILED
#include <graft/kernels/cpu/gather.hpp>
#endif
#ifndef __CUDACC__
#include <graft/kernels/bfloat16/gather.hpp>
#endif
