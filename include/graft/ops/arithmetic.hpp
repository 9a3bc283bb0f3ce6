/// @file
/// @brief Differences and quotients of two variables, and the logistic function: a − b, a / b, σ(x). Sums and products
/// stand in residual.hpp.
#pragma once

#include <utility>

#include <graft/kernels/arithmetic.hpp>
#include <graft/ops/residual.hpp>

namespace graft {

/// a − b for two variables of one shape; da = dy, db = −dy.
/// @throws ShapeError if the shapes differ.
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> subtract(Variable<Scalar, Device> const& a, Variable<Scalar, Device> const& b) {
  detail::check_equal_shapes("subtract", a, b);
  Tensor<Scalar, Device> y(a.shape());
  kernels::On<Device, kernels::Arithmetic, Scalar>::subtract(a.value().data(), b.value().data(), y.data(), y.size());
  if (!needs_gradient(a, b)) return y;
  return record(std::move(y), [to_a = a.slot(), to_b = b.slot()](Tensor<Scalar, Device> const& dy) {
    if (to_b) {
      Tensor<Scalar, Device> db = to_a ? Tensor<Scalar, Device>(dy.shape()) : recycled(dy);
      kernels::On<Device, kernels::Elementwise, Scalar>::scale(dy.data(), Scalar(-1), db.data(), db.size());
      to_b->accumulate(std::move(db));
    }
    if (to_a) to_a->accumulate(dy);
  });
}

/// a / b, element by element, for two variables of one shape; da = dy / b, db = −dy ∘ y / b. Keeps b, and y where b's
/// gradient is wanted. A divisor of 0 gives what the number format has for it: ±∞ or NaN.
/// @throws ShapeError if the shapes differ.
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> divide(Variable<Scalar, Device> const& a, Variable<Scalar, Device> const& b) {
  using Values = Tensor<Scalar, Device>;
  using Arithmetic = kernels::On<Device, kernels::Arithmetic, Scalar>;
  detail::check_equal_shapes("divide", a, b);
  Values y(a.shape());
  Arithmetic::divide(a.value().data(), b.value().data(), y.data(), y.size());
  if (!needs_gradient(a, b)) return y;
  auto reverse = [divisor = b.value(), kept = b.tracked() ? y : Values(), to_a = a.slot(),
                  to_b = b.slot()](Values const& dy) {
    if (to_a) {
      Values da = to_b ? Values(dy.shape()) : recycled(dy);
      Arithmetic::divide(dy.data(), divisor.data(), da.data(), da.size());
      to_a->accumulate(std::move(da));
    }
    if (to_b) {
      Values db = recycled(dy);
      Arithmetic::divisor_gradient(kept.data(), divisor.data(), dy.data(), db.data(), db.size());
      to_b->accumulate(std::move(db));
    }
  };
  return record(std::move(y), std::move(reverse));
}

/// The logistic function σ(x) = 1/(1 + e⁻ˣ), any shape; dx = dy ∘ y ∘ (1 − y). Keeps y.
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> sigmoid(Variable<Scalar, Device> const& x) {
  using Arithmetic = kernels::On<Device, kernels::Arithmetic, Scalar>;
  Tensor<Scalar, Device> y(x.shape());
  Arithmetic::sigmoid(x.value().data(), y.data(), y.size());
  if (!needs_gradient(x)) return y;
  return record(y, [y, slot = x.slot()](Tensor<Scalar, Device> const& dy) {
    Tensor<Scalar, Device> dx = recycled(dy);
    Arithmetic::sigmoid_gradient(y.data(), dy.data(), dx.data(), dx.size());
    slot->accumulate(std::move(dx));
  });
}

}  // namespace graft
