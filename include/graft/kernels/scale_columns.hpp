/// @file
/// @brief Every column, or every row, of a matrix multiplied by a number of its own, and the gradient of the numbers.
#pragma once

#include <graft/core/device.hpp>
#include <graft/core/types.hpp>

namespace graft::kernels {

/// y_ij = x_ij · gain_j; y may be x.
template <class Scalar>
void scale_columns(Cpu, Scalar const* x, Scalar const* gain, Index rows, Index width, Scalar* y);
/// y_ij = x_ij · gain_i; y may be x.
template <class Scalar>
void scale_rows(Cpu, Scalar const* x, Scalar const* gain, Index rows, Index width, Scalar* y);
/// dgain_j = Σ_i dy_ij · x_ij, in a fixed order.
template <class Scalar>
void scale_columns_gain_gradient(Cpu, Scalar const* x, Scalar const* dy, Index rows, Index width, Scalar* dgain);

}  // namespace graft::kernels

#ifndef GRAFT_COMPILED
#include <graft/kernels/cpu/scale_columns.hpp>
#endif
