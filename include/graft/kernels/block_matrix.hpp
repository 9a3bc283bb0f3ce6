/// @file
/// @brief A matrix in quantized blocks, as kernels read it.
#pragma once

#include <cstddef>

#include <graft/core/device_pointer.hpp>
#include <graft/core/layout.hpp>
#include <graft/kernels/block_format.hpp>

namespace graft::kernels {

/// Rows of quantized blocks `[rows, columns]` in the memory of a device; columns are a multiple of
/// `block_values(format)`.
template <class Device>
struct BlockMatrixOn {
  BlockFormat format;
  Pointer<Device, std::byte const> data;  ///< the first stored row, at any alignment
  Index rows, columns;
  Index head_rows = 0;  ///< of a head whose halves are stored as `interleaved_row` has it; 0: all rows in order
  Index first = 0;      ///< the number of row 0 among the stored ones

  [[nodiscard]] Index row_bytes() const { return columns / block_values(format) * block_bytes(format); }
  /// Where row `i` is stored.
  [[nodiscard]] Pointer<Device, std::byte const> row(Index i) const {
    Index const stored = head_rows > 0 ? interleaved_row(first + i, head_rows) : first + i;
    return data + stored * row_bytes();
  }
};
using BlockMatrix = BlockMatrixOn<Cpu>;

}  // namespace graft::kernels
