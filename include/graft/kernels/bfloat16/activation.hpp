/// @file
/// @brief Activation functions of bfloat16, through float32.
#pragma once

#include <graft/kernels/activation.hpp>
#include <graft/kernels/bfloat16/operands.hpp>

namespace graft::kernels {

template <>
struct Activation<Cpu, bfloat16> {
  static constexpr bool narrow = true;
  using Wide = Activation<Cpu, float>;
  using Widened = bfloat16_operands::Widened;
  using Rounded = bfloat16_operands::Rounded;

  static void activate(graft::Activation f, bfloat16 const* x, bfloat16* y, Index size) {
    Rounded const result(y, size);
    Wide::activate(f, Widened(x, size), result, size);
    result.store();
  }
  static void activate_backward(graft::Activation f, bfloat16 const* kept, bfloat16 const* dy, bfloat16* dx,
                                Index size) {
    Rounded const result(dx, size);
    Wide::activate_backward(f, Widened(kept, size), Widened(dy, size), result, size);
    result.store();
  }
  static void gated(graft::Activation f, bfloat16 const* gate, bfloat16 const* up, bfloat16* y, Index size) {
    Rounded const result(y, size);
    Wide::gated(f, Widened(gate, size), Widened(up, size), result, size);
    result.store();
  }
  static void gated_backward(graft::Activation f, bfloat16 const* gate, bfloat16 const* up, bfloat16 const* dy,
                             bfloat16* dgate, bfloat16* dup, Index size) {
    Rounded const to_gate(dgate, size), to_up(dup, size);
    Wide::gated_backward(f, Widened(gate, size), Widened(up, size), Widened(dy, size), to_gate, to_up, size);
    to_gate.store();
    to_up.store();
  }
};

}  // namespace graft::kernels
