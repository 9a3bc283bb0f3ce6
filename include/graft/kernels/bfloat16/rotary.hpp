/// @file
/// @brief Rotary position embeddings of bfloat16 with a float32 table.
#pragma once

#include <graft/kernels/bfloat16/operands.hpp>
#include <graft/kernels/rotary.hpp>

namespace graft::kernels {

template <>
struct Rotary<Cpu, bfloat16> {
  static constexpr bool narrow = true;
  static void rotate(bfloat16 const* x, float const* table, Index const* positions, float direction, Index tokens,
                     Index heads, Index head_width, Index half, bfloat16* y) {
    Index const size = tokens * heads * head_width;
    bfloat16_operands::Rounded const result(y, size);
    Rotary<Cpu, float>::rotate(bfloat16_operands::Widened(x, size), table, positions, direction, tokens, heads,
                               head_width, half, result);
    result.store();
  }
};

}  // namespace graft::kernels
