// A function with a part that counts as a constant, as docs/own_operation.md explains it: DoRA (Liu et al. 2024).
#pragma once

#include <graft/autograd/detach.hpp>
#include <graft/ops/arithmetic.hpp>
#include <graft/ops/matmul.hpp>
#include <graft/ops/scale_columns.hpp>

//! [dora]
/// y = x·Uᵀ, where row j of U is m_j·V_j/‖V_j‖ and V = W + B·A. The norm counts as a constant in the backward pass (Liu
/// et al. 2024, section 4.3). x `[rows, in]`, W `[out, in]` frozen, A `[rank, in]`, B `[out, rank]`, m `[out]` →
/// `[rows, out]`.
template <class Scalar>
[[nodiscard]] graft::Variable<Scalar> dora(graft::Variable<Scalar> const& x, graft::Tensor<Scalar> const& w,
                                           graft::Variable<Scalar> const& a, graft::Variable<Scalar> const& b,
                                           graft::Variable<Scalar> const& m) {
  using graft::add, graft::detach, graft::divide, graft::matmul, graft::multiply, graft::power, graft::row_sums;
  auto const v = add(graft::Variable<Scalar>(w), matmul(b, a));               // [out, in]
  auto const norm = power(row_sums(multiply(v, v)), 0.5);                     // [out]
  return graft::scale_columns(graft::linear(x, v), divide(m, detach(norm)));  // [rows, out]
}
//! [dora]
