/// @file
/// @brief The gated activation as a composition.
#pragma once

#include <graft/ops/composite/parts.hpp>

namespace graft::composite {

/// `graft::gated`: f(gate) ∘ up.
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> gated(Variable<Scalar, Device> const& gate, Variable<Scalar, Device> const& up,
                                             Activation f) {
  return multiply(activate(gate, f), up);
}

/// σ(x) = 1/(1 + e⁻ˣ), which is (1 + tanh(x/2))/2.
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> sigmoid(Variable<Scalar, Device> const& x) {
  return scale(add(tanh(scale(x, 0.5)), detail::filled<Scalar, Device>(x.shape(), 1)), 0.5);
}

}  // namespace graft::composite
