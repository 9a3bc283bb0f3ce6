/// @file
/// @brief Numbers of one format as numbers of another.
#pragma once

#include <graft/kernels/bfloat16/operands.hpp>
#include <graft/kernels/on.hpp>

namespace graft::kernels {

/// Between numbers of the type `Narrow` and those of the type that they are summed in.
template <class Device, class Narrow>
struct Cast {
  static_assert(implemented<Device>, "the kernel Cast does not exist for this device yet");
};

template <>
struct Cast<Cpu, bfloat16> {
  static constexpr bool narrow = true;
  /// y_i = x_i, exact.
  static void widen(bfloat16 const* x, float* y, Index size) { bfloat16_operands::widen(x, y, size); }
  /// y_i = x_i, rounded to nearest even.
  static void round(float const* x, bfloat16* y, Index size) { bfloat16_operands::round(x, y, size); }
  /// y_ij = x_ij, rounded to nearest even; y has no gaps.
  static void round_columns(Strided<float const> x, Index rows, Index width, bfloat16* y) {
    parallel_chunks(rows, rows_per_chunk(width), [=](Index first, Index last) {
      for (Index i = first; i < last; ++i)
        for (Index j = 0; j < width; ++j) y[i * width + j] = bfloat16(x.row(i)[j]);
    });
  }
  /// y_ij += x_ij; x has no gaps.
  static void add_to_columns(bfloat16 const* x, Index rows, Index width, Strided<float> y) {
    parallel_chunks(rows, rows_per_chunk(width), [=](Index first, Index last) {
      for (Index i = first; i < last; ++i)
        for (Index j = 0; j < width; ++j) y.row(i)[j] += static_cast<float>(x[i * width + j]);
    });
  }
};

}  // namespace graft::kernels
