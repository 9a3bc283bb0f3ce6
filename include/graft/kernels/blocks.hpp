/// @file
/// @brief Matrices kept as quantized blocks: widened rows, and products that widen what they read while it is in the
/// cache.
#pragma once

#include <cstddef>

#include <graft/core/layout.hpp>
#include <graft/kernels/block_format.hpp>
#include <graft/kernels/on.hpp>

namespace graft::kernels {

/// Rows of quantized blocks `[rows, columns]`; columns are a multiple of `block_values(format)`.
struct BlockMatrix {
  BlockFormat format;
  std::byte const* data;  ///< the first stored row, at any alignment
  Index rows, columns;
  Index head_rows = 0;  ///< of a head whose halves are stored as `interleaved_row` has it; 0: all rows in order
  Index first = 0;      ///< the number of row 0 among the stored ones

  [[nodiscard]] Index row_bytes() const { return columns / block_values(format) * block_bytes(format); }
  /// Where row `i` is stored.
  [[nodiscard]] std::byte const* row(Index i) const {
    Index const stored = head_rows > 0 ? interleaved_row(first + i, head_rows) : first + i;
    return data + stored * row_bytes();
  }
};

template <class Device, class Scalar>
struct Blocks : HostOnly {
  static_assert(implemented<Device>, "the kernel Blocks does not exist for this device yet");
  using In = Pointer<Device, Scalar const>;
  using Out = Pointer<Device, Scalar>;

  /// `count` numbers (whole blocks) stored from `source` on.
  static void widen(BlockFormat format, std::byte const* source, Index count, Out y);
  /// Rows [first, last): y `[last − first, columns]`.
  static void widen_rows(BlockMatrix const& w, Index first, Index last, Out y);
  /// y = β·y + x·Wᵀ; x `[rows, w.columns]`, y `[rows, w.rows]`.
  static void times_transposed(BlockMatrix const& w, In x, Index rows, Out y, Scalar beta);
  /// y = β·y + g·W; g `[rows, w.rows]`, y `[rows, w.columns]`.
  static void times(BlockMatrix const& w, In g, Index rows, Out y, Scalar beta);
};

}  // namespace graft::kernels

#ifndef GRAFT_COMPILED
#include <graft/kernels/cpu/blocks.hpp>
#endif
