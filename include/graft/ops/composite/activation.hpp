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

}  // namespace graft::composite
