/// @file
/// @brief A vector added to every row: y = x + 1·biasᵀ.
#pragma once

#include <utility>

#include <graft/autograd/trainable.hpp>
#include <graft/kernels/bias.hpp>
#include <graft/tensor/rounding.hpp>

namespace graft {

/// x [tokens, width] + bias [width], which is frozen as a `Tensor` and may be trained as a `Variable`; dx = dy, dbias =
/// the sum of dy's rows.
/// @throws ShapeError if the bias does not have x's width.
template <class Scalar, class Device, class Bias>
[[nodiscard]] Variable<Scalar, Device> add_bias(Variable<Scalar, Device> const& x, Bias const& bias) {
  Index const rows = x.rows(), width = x.width();
  if (x.shape().rank() < 2 || value_of(bias).size() != width)
    fail<ShapeError>("[add_bias] got an input of shape ", x.shape(), " and a bias of shape ", value_of(bias).shape(),
                     "; expected [tokens, width] and [width]");
  Tensor<Scalar, Device> y(x.shape());
  kernels::On<Device, kernels::Bias, Scalar>::add_bias(x.value().data(), value_of(bias).data(), rows, width, y.data());
  if (!needs_gradient(x, bias)) return y;
  auto reverse = [bias, slot = x.slot()](Tensor<Scalar, Device> const& dy) {
    if constexpr (is_trainable<Bias>) {
      if (bias.tracked()) {
        Tensor<ParameterOf<Scalar>, Device> dbias(bias.shape());
        kernels::On<Device, kernels::Bias, Scalar>::sum_rows(dy.data(), dy.rows(), dy.width(), dbias.data());
        bias.slot()->accumulate(std::move(dbias));
      }
    }
    if (slot) slot->accumulate(dy);
  };
  return record(std::move(y), std::move(reverse));
}

}  // namespace graft
