/// @file
/// @brief y = f(x) and y = f(gate) ∘ up for the activation functions of transformers, with their gradients.
#pragma once

#include <graft/core/activation.hpp>
#include <graft/kernels/on.hpp>

namespace graft::kernels {

template <class Device, class Scalar>
struct Activation {
  static constexpr bool narrow = true;
  using In = Pointer<Device, Scalar const>;
  using Out = Pointer<Device, Scalar>;

  /// y_i = f(x_i); y may be x.
  static void activate(graft::Activation f, In x, Out y, Index size);
  /// dx_i = dy_i · f'(x_i), where `kept` is y if `keeps_output(f)`, else x; dx may be dy.
  static void activate_backward(graft::Activation f, In kept, In dy, Out dx, Index size);
  /// y_i = f(gate_i) · up_i
  static void gated(graft::Activation f, In gate, In up, Out y, Index size);
  /// dgate_i = dy_i · up_i · f'(gate_i), dup_i = dy_i · f(gate_i); a null result is left out; dgate or dup may be dy.
  static void gated_backward(graft::Activation f, In gate, In up, In dy, Out dgate, Out dup, Index size);
};

}  // namespace graft::kernels

#if !defined(GRAFT_COMPILED) && !defined(__CUDACC__)
#include <graft/kernels/cpu/activation.hpp>
#endif
