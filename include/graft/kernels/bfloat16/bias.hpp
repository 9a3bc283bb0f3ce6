/// @file
/// @brief A float32 vector added to every row of a bfloat16 matrix, and its gradient, which is float32.
#pragma once

#include <graft/kernels/bfloat16/operands.hpp>
#include <graft/kernels/bias.hpp>

namespace graft::kernels {

template <>
struct Bias<Cpu, bfloat16> {
  static constexpr bool narrow = true;
  using Wide = Bias<Cpu, float>;
  using Widened = bfloat16_operands::Widened;

  static void add_bias(bfloat16 const* x, float const* bias, Index rows, Index width, bfloat16* y) {
    bfloat16_operands::Rounded const result(y, rows * width);
    Wide::add_bias(Widened(x, rows * width), bias, rows, width, result);
    result.store();
  }
  static void add_bias_to_sums(float const* x, float const* bias, Index rows, Index width, bfloat16* y) {
    parallel_chunks(rows, rows_per_chunk(width), [=](Index first, Index last) {
      for (Index i = first; i < last; ++i)
        for (Index j = 0; j < width; ++j) y[i * width + j] = bfloat16(x[i * width + j] + bias[j]);
    });
  }
  static void sum_rows(bfloat16 const* x, Index rows, Index width, float* y) {
    Wide::sum_rows(Widened(x, rows * width), rows, width, y);
  }
};

}  // namespace graft::kernels
