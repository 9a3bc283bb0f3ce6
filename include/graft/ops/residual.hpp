/// @file
/// @brief Elementwise sums and products: a + b, factor · x, a ∘ b.
#pragma once

#include <utility>

#include <graft/kernels/elementwise.hpp>
#include <graft/ops/storage.hpp>

namespace graft {

namespace detail {
template <class Scalar, class Device>
void check_equal_shapes(char const* op, Variable<Scalar, Device> const& a, Variable<Scalar, Device> const& b) {
  if (!(a.shape() == b.shape()))
    fail<ShapeError>("[", op, "] got shapes ", a.shape(), " and ", b.shape(), "; expected equal shapes");
}
}  // namespace detail

/// a + b; both receive dy.
/// @throws ShapeError if the shapes differ.
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> add(Variable<Scalar, Device> const& a, Variable<Scalar, Device> const& b) {
  detail::check_equal_shapes("add", a, b);
  Tensor<Scalar, Device> y(a.shape());
  kernels::On<Device, kernels::Elementwise, Scalar>::add(a.value().data(), b.value().data(), y.data(), y.size());
  if (!needs_gradient(a, b)) return y;
  return record(std::move(y), [to_a = a.slot(), to_b = b.slot()](Tensor<Scalar, Device> const& dy) {
    if (to_a) to_a->accumulate(dy);
    if (to_b) to_b->accumulate(dy);
  });
}

/// factor · x; dx = factor · dy.
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> scale(Variable<Scalar, Device> const& x, double factor) {
  Tensor<Scalar, Device> y(x.shape());
  auto const times = static_cast<SumOf<Scalar>>(factor);
  kernels::On<Device, kernels::Elementwise, Scalar>::scale(x.value().data(), times, y.data(), y.size());
  if (!needs_gradient(x)) return y;
  return record(std::move(y), [times, slot = x.slot()](Tensor<Scalar, Device> const& dy) {
    Tensor<Scalar, Device> dx = recycled(dy);
    kernels::On<Device, kernels::Elementwise, Scalar>::scale(dy.data(), times, dx.data(), dx.size());
    slot->accumulate(std::move(dx));
  });
}

/// a ∘ b; da = dy ∘ b, db = dy ∘ a. Keeps an operand only where the other one's gradient is wanted.
/// @throws ShapeError if the shapes differ.
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> multiply(Variable<Scalar, Device> const& a, Variable<Scalar, Device> const& b) {
  using Values = Tensor<Scalar, Device>;
  detail::check_equal_shapes("multiply", a, b);
  Values y(a.shape());
  kernels::On<Device, kernels::Elementwise, Scalar>::multiply(a.value().data(), b.value().data(), y.data(), y.size());
  if (!needs_gradient(a, b)) return y;
  Values const kept_a = b.tracked() ? a.value() : Values(), kept_b = a.tracked() ? b.value() : Values();
  return record(std::move(y), [kept_a, kept_b, to_a = a.slot(), to_b = b.slot()](Values const& dy) {
    if (to_a) {
      Values da = to_b ? Values(dy.shape()) : recycled(dy);
      kernels::On<Device, kernels::Elementwise, Scalar>::multiply(dy.data(), kept_b.data(), da.data(), da.size());
      to_a->accumulate(std::move(da));
    }
    if (to_b) {
      Values db = recycled(dy);
      kernels::On<Device, kernels::Elementwise, Scalar>::multiply(dy.data(), kept_a.data(), db.data(), db.size());
      to_b->accumulate(std::move(db));
    }
  });
}

}  // namespace graft
