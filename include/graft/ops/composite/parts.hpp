/// @file
/// @brief What compositions share: constants, and columns, transposes and sums along rows as products with matrices of
/// zeros and ones.
#pragma once

#include <graft/ops/activation.hpp>
#include <graft/ops/arithmetic.hpp>
#include <graft/ops/elementary.hpp>
#include <graft/ops/matmul.hpp>
#include <graft/ops/residual.hpp>
#include <graft/tensor/device_copy.hpp>

namespace graft::composite::detail {

/// A constant on the device, from numbers on the host.
template <class Device, class Scalar>
[[nodiscard]] Variable<Scalar, Device> constant(Tensor<Scalar> const& values) {
  return to_device<Device>(values);
}

/// `value` in every place of a constant.
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> filled(Shape const& shape, double value) {
  return constant<Device>(full(shape, static_cast<Scalar>(value)));
}

/// `[rows, columns]`: 1 at (i, i + shift), where that exists, else 0.
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> diagonal(Index rows, Index columns, Index shift) {
  Tensor<Scalar> values = zeros<Scalar>(Shape{rows, columns});
  for (Index i = 0; i < rows; ++i)
    if (i + shift >= 0 && i + shift < columns) values.row(i)[i + shift] = 1;
  return constant<Device>(values);
}

/// Columns [first, first + width) of x `[rows, …]` → `[rows, width]`.
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> columns(Variable<Scalar, Device> const& x, Index first, Index width) {
  return linear(x, diagonal<Scalar, Device>(width, x.width(), first));
}

/// x `[rows, …]` as the columns from `first` on of `[rows, width]` that is 0 elsewhere.
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> place(Variable<Scalar, Device> const& x, Index width, Index first) {
  return linear(x, diagonal<Scalar, Device>(width, x.width(), -first));
}

/// Σ_j x_ij in every place of row i; x `[rows, width]` → `[rows, width]`.
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> row_sums(Variable<Scalar, Device> const& x) {
  return linear(x, filled<Scalar, Device>(Shape{x.width(), x.width()}, 1));
}

}  // namespace graft::composite::detail
