/// @file
/// @brief A look for numbers that are none.
#pragma once

#include <cmath>

#include <graft/tensor/tensor.hpp>

namespace graft {

/// The index of the first NaN or infinity, or −1.
template <class Scalar>
[[nodiscard]] Index first_not_finite(Tensor<Scalar> const& values) {
  for (Index i = 0; i < values.size(); ++i)
    if (!std::isfinite(values.data()[i])) return i;
  return -1;
}

}  // namespace graft
