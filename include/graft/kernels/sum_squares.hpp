/// @file
/// @brief Σ x², as norms need it.
#pragma once

#include <graft/core/device.hpp>
#include <graft/core/types.hpp>

namespace graft::kernels {

/// Σ x_i² in double, in an order that depends on `size` alone. NaN or infinite if an element is.
template <class Scalar>
[[nodiscard]] double sum_squares(Cpu, Scalar const* x, Index size);

}  // namespace graft::kernels

#ifndef GRAFT_COMPILED
#include <graft/kernels/cpu/sum_squares.hpp>
#endif
