/// @file
/// @brief Tensors as xtensor expressions and back. Not included by any other header: xtensor stays out of the core.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include <xtensor/xadapt.hpp>
#include <xtensor/xarray.hpp>

#include <graft/tensor/tensor.hpp>

namespace graft {

namespace detail {
inline std::vector<std::size_t> extents(Shape const& shape) {
  std::vector<std::size_t> result;
  for (int axis = 0; axis < shape.rank(); ++axis) result.push_back(static_cast<std::size_t>(shape[axis]));
  return result;
}
template <class Extents>
Shape shape_of(Extents const& extents) {
  return Shape(std::vector<Index>(extents.begin(), extents.end()));
}
}  // namespace detail

/// The tensor as an xtensor expression over the same memory, to be read.
template <class Scalar>
[[nodiscard]] auto as_xtensor(Tensor<Scalar> const& tensor) {
  return xt::adapt(tensor.data(), static_cast<std::size_t>(tensor.size()), xt::no_ownership(),
                   detail::extents(tensor.shape()));
}
/// The tensor as an xtensor expression over the same memory, to be written.
template <class Scalar>
[[nodiscard]] auto as_xtensor(Tensor<Scalar>& tensor) {
  return xt::adapt(tensor.data(), static_cast<std::size_t>(tensor.size()), xt::no_ownership(),
                   detail::extents(tensor.shape()));
}

/// A tensor with the numbers of any xtensor expression, evaluated.
template <class Expression>
[[nodiscard]] auto from_xtensor(xt::xexpression<Expression> const& expression) {
  using Scalar = typename Expression::value_type;
  auto const& e = expression.derived_cast();
  Tensor<Scalar> tensor(detail::shape_of(e.shape()));
  as_xtensor(tensor) = e;
  return tensor;
}
/// A tensor that takes over a row-major array's memory.
template <class Scalar>
[[nodiscard]] Tensor<Scalar> adopt(xt::xarray<Scalar, xt::layout_type::row_major>&& array) {
  auto const owner = std::make_shared<xt::xarray<Scalar, xt::layout_type::row_major>>(std::move(array));
  return Tensor<Scalar>::alias(detail::shape_of(owner->shape()), owner->data(), owner);
}

}  // namespace graft
