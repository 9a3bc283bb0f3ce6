/// @file
/// @brief One step of an LSTM: what follows the matrix products, and its gradient. Gates
/// stand in the order i, f, g, o, `hidden` numbers each.
#pragma once

#include <graft/kernels/on.hpp>

namespace graft::kernels {

template <class Device, class Scalar>
struct Lstm {
  static_assert(implemented<Device>, "the kernel Lstm does not exist for this device yet");
};

template <class Scalar>
struct Lstm<Cpu, Scalar> {
  /// i, f, o = σ and g = tanh of `gates` `[4·hidden]`, in place; cell = f ∘ previous +
  /// i ∘ g; output = o ∘ tanh(cell). A null `previous` is 0.
  static void lstm_step(Scalar* gates, Scalar const* previous, Index hidden, Scalar* cell, Scalar* output);
  /// For gates as the forward step left them. `doutput` is the step's own gradient, `carried` what the following step hands back to the
  /// output (null for 0), `dcell` what it hands back to the cell: it becomes the gradient
  /// of `previous`. Writes the gradient of the gates' sums.
  static void lstm_step_backward(Scalar const* gates, Scalar const* previous, Scalar const* cell, Scalar const* doutput,
                                 Scalar const* carried, Index hidden, Scalar* dcell, Scalar* dgates);
};

}  // namespace graft::kernels

#ifndef GRAFT_COMPILED
#include <graft/kernels/cpu/lstm.hpp>
#endif
