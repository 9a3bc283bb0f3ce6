/// @file
/// @brief Softmax and its logarithm as compositions.
#pragma once

#include <graft/ops/composite/parts.hpp>
#include <graft/ops/softmax.hpp>

namespace graft::composite {

/// `graft::softmax`: e^x / Σ_k e^{x_k} in each row; x `[rows, width]`. It must stay where e^x is finite: no maximum is
/// subtracted.
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> softmax(Variable<Scalar, Device> const& x) {
  auto const power = exp(x);                      // [rows, width]
  return divide(power, detail::row_sums(power));  // [rows, width]
}

/// `graft::log_softmax`: x − ln Σ_k e^{x_k} in each row, as above.
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> log_softmax(Variable<Scalar, Device> const& x) {
  return subtract(x, log(detail::row_sums(exp(x))));  // [rows, width]
}

}  // namespace graft::composite
