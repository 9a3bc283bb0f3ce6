/// @file
/// @brief One step of an LSTM: what follows the matrix products, and its gradient. Gates
/// stand in the order i, f, g, o, `hidden` numbers each.
#pragma once

#include <graft/kernels/on.hpp>

namespace graft::kernels {

template <class Device, class Scalar>
struct Lstm {
  static_assert(implemented<Device>, "the kernel Lstm does not exist for this device yet");
  using In = Pointer<Device, Scalar const>;
  using Out = Pointer<Device, Scalar>;

  /// i, f, o = σ and g = tanh of `gates` `[4·hidden]`, in place; cell = f ∘ previous +
  /// i ∘ g; output = o ∘ tanh(cell). A null `previous` is 0.
  static void lstm_step(Out gates, In previous, Index hidden, Out cell, Out output);
  /// For gates as the forward step left them. `doutput` is the step's own gradient, `carried` what the following step
  /// hands back to the output (null for 0), `dcell` what it hands back to the cell: it becomes the gradient of
  /// `previous`. Writes the gradient of the gates' sums.
  static void lstm_step_backward(In gates, In previous, In cell, In doutput, In carried, Index hidden, Out dcell,
                                 Out dgates);
};

/// The same on a GPU, where a step is one kernel.
template <class Scalar>
struct Lstm<Cuda, Scalar> {
  using In = DevicePointer<Scalar const>;
  using Out = DevicePointer<Scalar>;

  /// As for every device.
  static void lstm_step(Out gates, In previous, Index hidden, Out cell, Out output);
  /// As for every device.
  static void lstm_step_backward(In gates, In previous, In cell, In doutput, In carried, Index hidden, Out dcell,
                                 Out dgates);
};

}  // namespace graft::kernels

#if !defined(GRAFT_COMPILED) && !defined(__CUDACC__)
#include <graft/kernels/cpu/lstm.hpp>
#endif
