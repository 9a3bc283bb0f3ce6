/// @file
/// @brief Fused operations as compositions of elementary ones: their definition, what tests compare them with, and what a new device can
/// start from.
#pragma once

#include <graft/ops/activation.hpp>
#include <graft/ops/linear.hpp>
#include <graft/ops/residual.hpp>
#include <graft/ops/sum.hpp>

namespace graft::composite {

/// `graft::gated`: f(gate) ∘ up.
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> gated(Variable<Scalar, Device> const& gate, Variable<Scalar, Device> const& up, Activation f) {
  return multiply(activate(gate, f), up);
}

/// `graft::add_low_rank`: y + scale·(x·Aᵀ)·Bᵀ; y `[rows, out]`, x `[rows, in]`, A `[rank, in]`, B `[out, rank]`.
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> add_low_rank(Variable<Scalar, Device> const& y, Variable<Scalar, Device> const& x,
                                                    Variable<Scalar, Device> const& a, Variable<Scalar, Device> const& b, Scalar scale) {
  return add(y, graft::scale(linear(linear(x, a), b), static_cast<double>(scale)));
}

/// `graft::mean_squared_error`: Σ (x − target)² / size.
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> mean_squared_error(Variable<Scalar, Device> const& x, Tensor<Scalar, Device> const& target) {
  auto const difference = add(x, scale(Variable<Scalar, Device>(target), -1.0));
  return scale(sum(multiply(difference, difference)), 1.0 / static_cast<double>(target.size()));
}

}  // namespace graft::composite
