/// @file
/// @brief y = f(a, b) over whole arrays: fill, add, scale, multiply.
#pragma once

#include <graft/core/device.hpp>
#include <graft/core/types.hpp>

namespace graft::kernels {

/// y_i = value
template <class Scalar>
void fill(Cpu, Scalar* y, Scalar value, Index size);
/// y_i = a_i + b_i; y may be a or b.
template <class Scalar>
void add(Cpu, Scalar const* a, Scalar const* b, Scalar* y, Index size);
/// y_i = factor · a_i; y may be a.
template <class Scalar>
void scale(Cpu, Scalar const* a, Scalar factor, Scalar* y, Index size);
/// y_i = a_i · b_i; y may be a or b.
template <class Scalar>
void multiply(Cpu, Scalar const* a, Scalar const* b, Scalar* y, Index size);
/// y_i += factor · a_i
template <class Scalar>
void add_scaled(Cpu, Scalar const* a, Scalar factor, Scalar* y, Index size);

}  // namespace graft::kernels

#ifndef GRAFT_COMPILED
#include <graft/kernels/cpu/elementwise.hpp>
#endif
