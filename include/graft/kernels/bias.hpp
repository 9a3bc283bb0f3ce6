/// @file
/// @brief A vector added to every row, and its gradient.
#pragma once

#include <graft/core/device.hpp>
#include <graft/core/types.hpp>

namespace graft::kernels {

/// y_ij = x_ij + bias_j; y may be x.
template <class Scalar>
void add_bias(Cpu, Scalar const* x, Scalar const* bias, Index rows, Index width, Scalar* y);
/// y_ij += bias_j
template <class Scalar>
void add_to_rows(Cpu, Scalar const* bias, Index rows, Index width, Scalar* y);
/// y_j = Σ_i x_ij
template <class Scalar>
void sum_rows(Cpu, Scalar const* x, Index rows, Index width, Scalar* y);

}  // namespace graft::kernels

#ifndef GRAFT_COMPILED
#include <graft/kernels/cpu/bias.hpp>
#endif
