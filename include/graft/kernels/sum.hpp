/// @file
/// @brief Sums over whole arrays into one number, in a fixed order, and the gradients of such sums. Scalars stay on the device.
#pragma once

#include <graft/core/device.hpp>
#include <graft/core/types.hpp>

namespace graft::kernels {

/// result = Σ x_i
template <class Scalar>
void sum(Cpu, Scalar const* x, Index size, Scalar* result);
/// result = Σ a_i · b_i
template <class Scalar>
void dot(Cpu, Scalar const* a, Scalar const* b, Index size, Scalar* result);
/// result = factor · Σ (a_i - b_i)²
template <class Scalar>
void squared_distance(Cpu, Scalar const* a, Scalar const* b, Scalar factor, Index size, Scalar* result);
/// y_i = d, the number at `d`
template <class Scalar>
void broadcast(Cpu, Scalar const* d, Scalar* y, Index size);
/// y_i = d · a_i for the number at `d`
template <class Scalar>
void scale_by(Cpu, Scalar const* a, Scalar const* d, Scalar* y, Index size);
/// y_i = d · factor · (a_i - b_i) for the number at `d`
template <class Scalar>
void scaled_difference(Cpu, Scalar const* a, Scalar const* b, Scalar const* d, Scalar factor, Scalar* y, Index size);

}  // namespace graft::kernels

#ifndef GRAFT_COMPILED
#include <graft/kernels/cpu/sum.hpp>
#endif
