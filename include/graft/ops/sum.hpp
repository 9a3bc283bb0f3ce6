/// @file
/// @brief Reductions to one number, for losses: Σ x, mean x, Σ w ∘ x, mean (x - t)². The order of additions is fixed.
#pragma once

#include <utility>

#include <graft/kernels/sum.hpp>
#include <graft/ops/residual.hpp>

namespace graft {

/// Σ x over all elements, as a scalar; dx = dy everywhere.
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> sum(Variable<Scalar, Device> const& x) {
  Tensor<Scalar, Device> y(Shape{});
  kernels::On<Device, kernels::Sum, Scalar>::sum(x.value().data(), x.value().size(), y.data());
  if (!needs_gradient(x)) return y;
  return record(std::move(y), [shape = x.shape(), slot = x.slot()](Tensor<Scalar, Device> const& dy) {
    Tensor<Scalar, Device> dx(shape);
    kernels::On<Device, kernels::Sum, Scalar>::broadcast(dy.data(), dx.data(), dx.size());
    slot->accumulate(std::move(dx));
  });
}

/// Σ x / size over all elements, as a scalar; dx = dy/size everywhere.
/// @throws ShapeError if x is empty.
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> mean(Variable<Scalar, Device> const& x) {
  Index const size = x.value().size();
  if (size == 0) fail<ShapeError>("[mean] got an input of shape ", x.shape(), "; expected at least one element");
  return scale(sum(x), 1.0 / static_cast<double>(size));
}

/// Σ weights ∘ x over all elements, as a scalar; dx = dy · weights. The weights are constants.
/// @throws ShapeError if there are not as many weights as elements.
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> weighted_sum(Variable<Scalar, Device> const& x,
                                                    Tensor<Scalar, Device> const& weights) {
  if (weights.size() != x.value().size())
    fail<ShapeError>("[weighted_sum] got weights of shape ", weights.shape(),
                     "; expected as many as in the input of shape ", x.shape());
  Tensor<Scalar, Device> y(Shape{});
  kernels::On<Device, kernels::Sum, Scalar>::dot(x.value().data(), weights.data(), weights.size(), y.data());
  if (!needs_gradient(x)) return y;
  return record(std::move(y), [weights, shape = x.shape(), slot = x.slot()](Tensor<Scalar, Device> const& dy) {
    Tensor<Scalar, Device> dx(shape);
    kernels::On<Device, kernels::Sum, Scalar>::scale_by(weights.data(), dy.data(), dx.data(), dx.size());
    slot->accumulate(std::move(dx));
  });
}

/// The mean of (x - target)² over all elements, as a scalar; dx = dy · 2(x - target)/size. The target is a constant.
/// @throws ShapeError if the shapes differ or are empty.
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> mean_squared_error(Variable<Scalar, Device> const& x,
                                                          Tensor<Scalar, Device> const& target) {
  if (!(target.shape() == x.shape()) || target.size() == 0)
    fail<ShapeError>("[mean_squared_error] got an input of shape ", x.shape(), " and a target of shape ",
                     target.shape(), "; expected equal shapes with elements");
  Scalar const share = Scalar(1) / static_cast<Scalar>(target.size());
  Tensor<Scalar, Device> y(Shape{});
  kernels::On<Device, kernels::Sum, Scalar>::squared_distance(x.value().data(), target.data(), share, target.size(),
                                                              y.data());
  if (!needs_gradient(x)) return y;
  return record(std::move(y), [target, share, input = x.value(), slot = x.slot()](Tensor<Scalar, Device> const& dy) {
    Tensor<Scalar, Device> dx(target.shape());
    kernels::On<Device, kernels::Sum, Scalar>::scaled_difference(input.data(), target.data(), dy.data(), 2 * share,
                                                                 dx.data(), dx.size());
    slot->accumulate(std::move(dx));
  });
}

}  // namespace graft
