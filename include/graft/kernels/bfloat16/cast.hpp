/// @file
/// @brief Casts to and from bfloat16 on the host.
#pragma once

#include <graft/kernels/bfloat16/operands.hpp>
#include <graft/kernels/cast.hpp>

namespace graft::kernels {

template <>
struct Cast<Cpu, bfloat16> {
  static constexpr bool narrow = true;
  static void widen(bfloat16 const* x, float* y, Index size) { bfloat16_operands::widen(x, y, size); }
  static void round(float const* x, bfloat16* y, Index size) { bfloat16_operands::round(x, y, size); }
  static void round_columns(Strided<float const> x, Index rows, Index width, bfloat16* y) {
    parallel_chunks(rows, rows_per_chunk(width), [=](Index first, Index last) {
      for (Index i = first; i < last; ++i)
        for (Index j = 0; j < width; ++j) y[i * width + j] = bfloat16(x.row(i)[j]);
    });
  }
  static void add_to_columns(bfloat16 const* x, Index rows, Index width, Strided<float> y) {
    parallel_chunks(rows, rows_per_chunk(width), [=](Index first, Index last) {
      for (Index i = first; i < last; ++i)
        for (Index j = 0; j < width; ++j) y.row(i)[j] += static_cast<float>(x[i * width + j]);
    });
  }
};

}  // namespace graft::kernels
