/// @file
/// @brief The low-rank addition as a composition.
#pragma once

#include <graft/ops/composite/parts.hpp>

namespace graft::composite {

/// `graft::add_low_rank`: y + scale·(x·Aᵀ)·Bᵀ; y `[rows, out]`, x `[rows, in]`, A `[rank, in]`, B `[out, rank]`.
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> add_low_rank(Variable<Scalar, Device> const& y,
                                                    Variable<Scalar, Device> const& x,
                                                    Variable<Scalar, Device> const& a,
                                                    Variable<Scalar, Device> const& b, Scalar scale) {
  return add(y, graft::scale(linear(linear(x, a), b), static_cast<double>(scale)));
}

}  // namespace graft::composite
