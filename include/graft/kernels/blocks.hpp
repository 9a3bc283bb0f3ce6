/// @file
/// @brief Matrices kept as quantized blocks: widened rows, and products that widen what they read while they read it.
#pragma once

#include <cstddef>

#include <graft/core/layout.hpp>
#include <graft/core/precision.hpp>
#include <graft/kernels/block_matrix.hpp>
#include <graft/kernels/on.hpp>

namespace graft::kernels {

template <class Device, class Scalar>
struct Blocks {
  static_assert(implemented<Device>, "the kernel Blocks does not exist for this device yet");
};

template <class Scalar>
struct Blocks<Cpu, Scalar> {
  /// Rows [first, last): y `[last − first, columns]`.
  static void widen_rows(BlockMatrix const& w, Index first, Index last, Scalar* y);
  /// The rows with these numbers: y `[count, columns]`.
  static void pick_rows(BlockMatrix const& w, Token const* ids, Index count, Scalar* y);
  /// y = Wᵀ `[columns, rows]`.
  static void widen_turned(BlockMatrix const& w, Scalar* y);
  /// y = β·y + x·Wᵀ; x `[rows, w.columns]`, y `[rows, w.rows]`.
  static void times_transposed(BlockMatrix const& w, Scalar const* x, Index rows, Scalar* y, Scalar beta);
  /// y = β·y + g·W; g `[rows, w.rows]`, y `[rows, w.columns]`.
  static void times(BlockMatrix const& w, Scalar const* g, Index rows, Scalar* y, Scalar beta);
};

/// The same. Products widen a panel of rows at a time, in memory that they give back.
template <class Scalar>
struct Blocks<Cuda, Scalar> {
  static constexpr bool narrow = true;
  using Matrix = BlockMatrixOn<Cuda>;
  using In = DevicePointer<Scalar const>;
  using Out = DevicePointer<Scalar>;

  static void widen_rows(Matrix const& w, Index first, Index last, Out y);
  static void pick_rows(Matrix const& w, DevicePointer<Token const> ids, Index count, Out y);
  static void widen_turned(Matrix const& w, Out y);
  static void times_transposed(Matrix const& w, In x, Index rows, Out y, SumOf<Scalar> beta);
  static void times(Matrix const& w, In g, Index rows, Out y, SumOf<Scalar> beta);
};

}  // namespace graft::kernels

#if !defined(GRAFT_COMPILED) && !defined(__CUDACC__)
#include <graft/kernels/cpu/blocks.hpp>
#endif
