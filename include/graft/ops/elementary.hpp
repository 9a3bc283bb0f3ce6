/// @file
/// @brief Plain operations that compositions are written with: e^x, ln x, x^p element by element, and the same numbers
/// in another shape.
#pragma once

#include <utility>

#include <graft/kernels/elementwise.hpp>
#include <graft/ops/storage.hpp>

namespace graft {

namespace detail {
/// The gradients of eˣ, ln x and xᵖ go through several kernels, each of which would round.
template <class Scalar>
constexpr void refuse_narrow() {
  static_assert(!is_narrow<Scalar>,
                "graft: exp, log and power do not exist for bfloat16; compute in float: cast<float>(x)");
}
}  // namespace detail

/// y = e^x, any shape; dx = dy ∘ y. Keeps y.
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> exp(Variable<Scalar, Device> const& x) {
  detail::refuse_narrow<Scalar>();
  using Elementwise = kernels::On<Device, kernels::Elementwise, Scalar>;
  Tensor<Scalar, Device> y(x.shape());
  Elementwise::exp(x.value().data(), y.data(), y.size());
  if (!needs_gradient(x)) return y;
  return record(y, [y, slot = x.slot()](Tensor<Scalar, Device> const& dy) {
    Tensor<Scalar, Device> dx = recycled(dy);
    Elementwise::multiply(dy.data(), y.data(), dx.data(), dx.size());
    slot->accumulate(std::move(dx));
  });
}

/// y = ln x, any shape; dx = dy ∘ x⁻¹. Keeps x.
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> log(Variable<Scalar, Device> const& x) {
  detail::refuse_narrow<Scalar>();
  using Elementwise = kernels::On<Device, kernels::Elementwise, Scalar>;
  Tensor<Scalar, Device> y(x.shape());
  Elementwise::log(x.value().data(), y.data(), y.size());
  if (!needs_gradient(x)) return y;
  return record(std::move(y), [kept = x.value(), slot = x.slot()](Tensor<Scalar, Device> const& dy) {
    Tensor<Scalar, Device> dx(dy.shape());
    Elementwise::power(kept.data(), Scalar(-1), dx.data(), dx.size());
    Elementwise::multiply(dy.data(), dx.data(), dx.data(), dx.size());
    slot->accumulate(std::move(dx));
  });
}

/// y = x^p, any shape; dx = p·dy ∘ x^(p − 1). Keeps x.
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> power(Variable<Scalar, Device> const& x, double p) {
  detail::refuse_narrow<Scalar>();
  using Elementwise = kernels::On<Device, kernels::Elementwise, Scalar>;
  Tensor<Scalar, Device> y(x.shape());
  Elementwise::power(x.value().data(), static_cast<Scalar>(p), y.data(), y.size());
  if (!needs_gradient(x)) return y;
  return record(std::move(y), [p, kept = x.value(), slot = x.slot()](Tensor<Scalar, Device> const& dy) {
    Tensor<Scalar, Device> dx(dy.shape());
    Elementwise::power(kept.data(), static_cast<Scalar>(p - 1), dx.data(), dx.size());
    Elementwise::multiply(dy.data(), dx.data(), dx.data(), dx.size());
    Elementwise::scale(dx.data(), static_cast<Scalar>(p), dx.data(), dx.size());
    slot->accumulate(std::move(dx));
  });
}

/// The numbers of x, in their order, in another shape; shares x's storage.
/// @throws ShapeError unless the shape has as many elements.
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> reshape(Variable<Scalar, Device> const& x, Shape const& shape) {
  Tensor<Scalar, Device> y = x.value().reshape(shape);
  if (!needs_gradient(x)) return y;
  return record(std::move(y), [before = x.shape(), slot = x.slot()](Tensor<Scalar, Device> const& dy) {
    slot->accumulate(dy.reshape(before));
  });
}

}  // namespace graft
