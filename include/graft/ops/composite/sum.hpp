/// @file
/// @brief The mean squared error as a composition.
#pragma once

#include <graft/ops/composite/parts.hpp>
#include <graft/ops/sum.hpp>

namespace graft::composite {

/// `graft::mean_squared_error`: Σ (x − target)² / size.
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> mean_squared_error(Variable<Scalar, Device> const& x,
                                                          Tensor<Scalar, Device> const& target) {
  auto const difference = subtract(x, Variable<Scalar, Device>(target));
  return scale(sum(multiply(difference, difference)), 1.0 / static_cast<double>(target.size()));
}

}  // namespace graft::composite
