/// @file
/// @brief Rows copied from, and added to, chosen places. The index arrays are in host memory on every device; a null one stands for 0, 1,
/// 2, ….
#pragma once

#include <graft/core/device.hpp>
#include <graft/core/types.hpp>

namespace graft::kernels {

/// y[to[k]] = x[from[k]] for k in [0, count); `to` has no repetitions.
template <class Scalar>
void copy_rows(Cpu, Scalar const* x, Index const* from, Scalar* y, Index const* to, Index count, Index width);
/// y[to[k]] += x[from[k]], for equal targets in the order of k. `distinct` promises that `to` has no repetitions.
template <class Scalar>
void add_rows(Cpu, Scalar const* x, Index const* from, Scalar* y, Index const* to, bool distinct, Index count, Index width);

}  // namespace graft::kernels

#ifndef GRAFT_COMPILED
#include <graft/kernels/cpu/gather.hpp>
#endif
