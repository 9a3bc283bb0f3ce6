/// @file
/// @brief Tensors of a narrow type (bfloat16) as tensors of the type that their sums are formed in, and back. Of other
/// types: the tensor.
#pragma once

#include <graft/core/precision.hpp>
#include <graft/kernels/cast.hpp>
#include <graft/tensor/tensor.hpp>

namespace graft {

/// The same numbers to compute with.
template <class Scalar, class Device>
[[nodiscard]] Tensor<SumOf<Scalar>, Device> widened(Tensor<Scalar, Device> const& x) {
  if constexpr (!is_narrow<Scalar>) {
    return x;
  } else {
    if (x.empty()) return {};
    Tensor<SumOf<Scalar>, Device> y(x.shape());
    kernels::On<Device, kernels::Cast, Scalar>::widen(x.data(), y.data(), x.size());
    return y;
  }
}

/// The numbers as they are stored, rounded to nearest even.
template <class Scalar, class Device>
[[nodiscard]] Tensor<Scalar, Device> rounded(Tensor<SumOf<Scalar>, Device> x) {
  if constexpr (!is_narrow<Scalar>) {
    return x;
  } else {
    if (x.empty()) return {};
    Tensor<Scalar, Device> y(x.shape());
    kernels::On<Device, kernels::Cast, Scalar>::round(x.data(), y.data(), x.size());
    return y;
  }
}

}  // namespace graft
