/// @file
/// @brief Both norms as compositions.
#pragma once

#include <graft/ops/composite/scale_columns.hpp>

namespace graft::composite {

/// `graft::rms_norm`: x/√(mean(x²) + epsilon) ∘ gain for x `[tokens, width]`; an empty gain is left out.
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> rms_norm(Variable<Scalar, Device> const& x, Variable<Scalar, Device> const& gain,
                                                double epsilon) {
  auto const mean_square =
      scale(detail::row_sums(multiply(x, x)), 1.0 / static_cast<double>(x.width()));  // [tokens, width]
  auto const y = multiply(x, power(add(mean_square, detail::filled<Scalar, Device>(x.shape(), epsilon)), -0.5));
  return gain.empty() ? y : composite::scale_columns(y, gain);
}

/// `graft::layer_norm`: (x − mean)/√(variance + epsilon) ∘ gain + bias for x `[tokens, width]`; an empty gain or bias
/// is left out. It is the RMS norm of x without its mean, plus the bias.
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> layer_norm(Variable<Scalar, Device> const& x,
                                                  Variable<Scalar, Device> const& gain,
                                                  Variable<Scalar, Device> const& bias, double epsilon) {
  auto const mean = scale(detail::row_sums(x), 1.0 / static_cast<double>(x.width()));  // [tokens, width]
  auto const y = composite::rms_norm(subtract(x, mean), gain, epsilon);
  return bias.empty() ? y : add_bias(y, bias);
}

}  // namespace graft::composite
