/// @file
/// @brief The product of two matrices that may both be trained, and sums along rows, which are products with ones.
#pragma once

#include <graft/ops/elementary.hpp>
#include <graft/ops/linear.hpp>

namespace graft {

/// a·b for a `[rows, inner]`, b `[inner, columns]` → `[rows, columns]`; da = dy·bᵀ, db = aᵀ·dy. (x·Wᵀ, with W as
/// checkpoints store it, is `linear`.)
/// @throws ShapeError unless both are matrices and a is as wide as b has rows.
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> matmul(Variable<Scalar, Device> const& a,
                                              Variable<ParameterOf<Scalar>, Device> const& b) {
  if (a.shape().rank() != 2 || b.shape().rank() != 2 || a.width() != b.rows())
    fail<ShapeError>("[matmul] got shapes ", a.shape(), " and ", b.shape(),
                     "; expected [rows, inner] and [inner, columns]");
  return linear(a, TrainableMatrix<ParameterOf<Scalar>, Device>{b, Layout::in_out});  // [rows, columns]
}

/// Σ_j x_ij for x `[rows, width]` → `[rows]`; dx_ij = dy_i.
/// @throws ShapeError unless x is a matrix.
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> row_sums(Variable<Scalar, Device> const& x) {
  using Number = ParameterOf<Scalar>;
  if (x.shape().rank() != 2)
    fail<ShapeError>("[row_sums] got an input of shape ", x.shape(), "; expected [rows, width]");
  Tensor<Number, Device> ones(Shape{1, x.width()});
  kernels::On<Device, kernels::Elementwise, Number>::fill(ones.data(), Number(1), ones.size());
  auto const sums = linear(x, FrozenMatrix<Number, Device>(ones));  // [rows, 1]
  return reshape(sums, Shape{x.rows()});                            // [rows]
}

}  // namespace graft
