/// @file
/// @brief Where reverse passes write: over the gradient they consume, or into the gradient gathered so far.
#pragma once

#include <graft/autograd/variable.hpp>

namespace graft {

/// Storage for a result of this shape: the tensor's own where nobody else holds it. For elementwise reverse passes,
/// which write dx over dy.
template <class Scalar, class Device>
[[nodiscard]] Tensor<Scalar, Device> recycled(Tensor<Scalar, Device> const& tensor) {
  return tensor.unique() ? tensor : Tensor<Scalar, Device>(tensor.shape());
}

/// Takes the gradient gathered so far (zeros, if none) in storage that may be changed, for contributions that touch few
/// of its rows; the caller adds to it and hands it back with `accumulate`. A tied embedding so needs one gradient of
/// the table's size, not three. It has the type that gradients are summed in.
template <class Scalar, class Device>
[[nodiscard]] Tensor<SumOf<Scalar>, Device> take_to_add(GradientSlot<Scalar, Device>& slot, Shape const& shape) {
  Tensor<SumOf<Scalar>, Device> gradient = slot.take_sum();
  if (gradient.unique()) return gradient;
  Tensor<SumOf<Scalar>, Device> result(shape);
  using Kernel = kernels::On<Device, kernels::Elementwise, SumOf<Scalar>>;
  if (gradient.empty())
    Kernel::fill(result.data(), SumOf<Scalar>(0), result.size());
  else
    Kernel::scale(gradient.data(), SumOf<Scalar>(1), result.data(), result.size());
  return result;
}

}  // namespace graft
