/// @file
/// @brief The scaled columns as a composition.
#pragma once

#include <graft/ops/bias.hpp>
#include <graft/ops/composite/parts.hpp>

namespace graft::composite {

/// `graft::scale_columns`: x ∘ (0 + l), where the sum puts l into every row. x `[rows, width]`, l of `width` elements.
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> scale_columns(Variable<Scalar, Device> const& x,
                                                     Variable<Scalar, Device> const& l) {
  return multiply(x, add_bias(detail::filled<Scalar, Device>(x.shape(), 0), l));
}

}  // namespace graft::composite
