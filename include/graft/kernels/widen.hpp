/// @file
/// @brief y_i = x_i in the type that is computed with.
#pragma once

#include <graft/core/device.hpp>
#include <graft/core/types.hpp>

namespace graft::kernels {

/// Converts `size` stored elements (bfloat16, half, float or double) to `To`.
template <class From, class To>
void widen(Cpu, From const* x, To* y, Index size);

}  // namespace graft::kernels

#ifndef GRAFT_COMPILED
#include <graft/kernels/cpu/widen.hpp>
#endif
