/// @file
/// @brief Tensors as Eigen matrices and back, without copying where the layout allows. Not
/// included by any other header: Eigen stays out of the core.
#pragma once

#include <Eigen/Core>
#include <memory>
#include <utility>

#include <graft/tensor/tensor.hpp>

namespace graft {

template <class Scalar>
using RowMajorMatrix = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// The tensor's rows as a matrix `[rows, width]` over the same memory, to be read.
template <class Scalar>
[[nodiscard]] Eigen::Map<RowMajorMatrix<Scalar> const> as_matrix(Tensor<Scalar> const& tensor) {
  return {tensor.data(), tensor.rows(), tensor.width()};
}
/// The tensor's rows as a matrix over the same memory, to be written.
template <class Scalar>
[[nodiscard]] Eigen::Map<RowMajorMatrix<Scalar>> as_matrix(Tensor<Scalar>& tensor) {
  return {tensor.data(), tensor.rows(), tensor.width()};
}
/// All elements as a vector over the same memory.
template <class Scalar>
[[nodiscard]] Eigen::Map<Eigen::Matrix<Scalar, Eigen::Dynamic, 1> const> as_vector(Tensor<Scalar> const& tensor) {
  return {tensor.data(), tensor.size()};
}

/// A tensor with the numbers of any Eigen expression, `[rows, columns]`.
template <class Derived>
[[nodiscard]] Tensor<typename Derived::Scalar> from_eigen(Eigen::DenseBase<Derived> const& expression) {
  Tensor<typename Derived::Scalar> tensor(Shape{expression.rows(), expression.cols()});
  as_matrix(tensor) = expression.derived();
  return tensor;
}
/// A tensor that takes over a row-major matrix's memory.
template <class Scalar>
[[nodiscard]] Tensor<Scalar> adopt(RowMajorMatrix<Scalar>&& matrix) {
  auto const owner = std::make_shared<RowMajorMatrix<Scalar>>(std::move(matrix));
  return Tensor<Scalar>::alias(Shape{owner->rows(), owner->cols()}, owner->data(), owner);
}

}  // namespace graft
