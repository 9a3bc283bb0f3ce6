/// @file
/// @brief What a product's sums go through before they are stored.
#pragma once

#include <optional>

#include <graft/core/activation.hpp>
#include <graft/core/device_pointer.hpp>

namespace graft::kernels {

/// What follows a product S = op(A)·op(B) `[m, n]` in the same kernel: C = f(S + bias), or C = S ∘ f'(slope_at).
template <class Scalar, class Device>
struct Epilogue {
  Pointer<Device, Scalar const> bias{};           ///< `[n]`; null for none
  std::optional<graft::Activation> activation{};  ///< f; nothing for the identity
  Pointer<Device, Scalar> input{};                ///< `[m, n]`, receives S + bias; null where nobody wants it
  Pointer<Device, Scalar const> slope_at{};       ///< `[m, n]`, an earlier `input`; null for f itself
};

}  // namespace graft::kernels
