/// @file
/// @brief Softmax and its logarithm over the rows of a matrix: p_ij = e^{x_ij} / Σ_k e^{x_ik}.
#pragma once

#include <utility>

#include <graft/kernels/softmax.hpp>
#include <graft/ops/storage.hpp>

namespace graft {

namespace detail {
template <class Scalar, class Device>
void check_matrix(char const* op, Variable<Scalar, Device> const& x) {
  if (x.shape().rank() != 2)
    fail<ShapeError>("[", op, "] got an input of shape ", x.shape(),
                     "; expected [rows, width]; hint: reshape makes a matrix of it");
}
}  // namespace detail

/// x `[rows, width]`; y_ij = e^{x_ij} / Σ_k e^{x_ik}, each row by itself, computed from x_ij − max_k x_ik;
/// dx_ij = y_ij·(dy_ij − Σ_k dy_ik·y_ik). Keeps y. An element of −∞ beside finite ones becomes 0.
/// @throws ShapeError unless x is a matrix.
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> softmax(Variable<Scalar, Device> const& x) {
  detail::check_matrix("softmax", x);
  Index const rows = x.rows(), width = x.width();
  Tensor<Scalar, Device> y(x.shape());  // [rows, width]
  kernels::On<Device, kernels::Softmax, Scalar>::softmax(x.value().data(), rows, width, y.data());
  if (!needs_gradient(x)) return y;
  return record(y, [y, slot = x.slot()](Tensor<Scalar, Device> const& dy) {
    Tensor<Scalar, Device> dx = recycled(dy);  // [rows, width]
    kernels::On<Device, kernels::Softmax, Scalar>::softmax_gradient(y.data(), dy.data(), y.rows(), y.width(),
                                                                    dx.data());
    slot->accumulate(std::move(dx));
  });
}

/// x `[rows, width]`; y_ij = ln softmax(x)_ij = x_ij − ln Σ_k e^{x_ik}, exact where the softmax itself would be 0;
/// dx_ij = dy_ij − e^{y_ij}·Σ_k dy_ik. Keeps y.
/// @throws ShapeError unless x is a matrix.
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> log_softmax(Variable<Scalar, Device> const& x) {
  detail::check_matrix("log_softmax", x);
  Index const rows = x.rows(), width = x.width();
  Tensor<Scalar, Device> y(x.shape());  // [rows, width]
  kernels::On<Device, kernels::Softmax, Scalar>::log_softmax(x.value().data(), rows, width, y.data());
  if (!needs_gradient(x)) return y;
  return record(y, [y, slot = x.slot()](Tensor<Scalar, Device> const& dy) {
    Tensor<Scalar, Device> dx = recycled(dy);  // [rows, width]
    kernels::On<Device, kernels::Softmax, Scalar>::log_softmax_gradient(y.data(), dy.data(), y.rows(), y.width(),
                                                                        dx.data());
    slot->accumulate(std::move(dx));
  });
}

}  // namespace graft
