/// @file
/// @brief Products with a matrix that never changes, whose numbers lie in the order in which the host's register tiles
/// read them.
#pragma once

#include <graft/core/dtype.hpp>
#include <graft/kernels/on.hpp>
#include <graft/kernels/widen.hpp>

namespace graft::kernels {

/// W `[out, in]` in panels of `panel` outputs each: W's element (o, t) is number t · panel + o mod panel of panel
/// ⌊o / panel⌋, which begins at number ⌊o / panel⌋ · in · panel. A last panel of fewer outputs is filled up with zeros,
/// that of a part of W with the outputs that follow.
struct PackedMatrix {
  Index out;         ///< rows of W
  Index in;          ///< columns of W
  Index panel;       ///< `Packed::panel_width()`
  Dtype dtype;       ///< of the numbers: the scalar's own, or of 16 bits
  void const* data;  ///< `numbers()` of them

  /// How many panels there are.
  [[nodiscard]] constexpr Index panels() const { return (out + panel - 1) / panel; }
  /// How many numbers they hold, zeros included.
  [[nodiscard]] constexpr Index numbers() const { return panels() * panel * in; }
  /// Where element (o, t) is among the numbers.
  [[nodiscard]] constexpr Index place(Index o, Index t) const { return o / panel * panel * in + t * panel + o % panel; }
};

/// Every sum runs over the inputs (of `times`, the outputs) in one order, whatever the number of rows: a row's result
/// has the same bits alone and among others, for any number of threads.
template <class Device, class Scalar>
struct Packed : HostOnly {
  static_assert(implemented<Device>, "the kernel Packed does not exist for this device yet");

  /// Outputs of a panel, which fill two of the processor's registers: the processor's level decides.
  [[nodiscard]] static Index panel_width();
  /// Packs W, whose element (o, t) is `from[o · steps.row + t · steps.element]`, to `w.numbers()` numbers at `to`.
  static void pack(Scalar const* from, MatrixSteps steps, PackedMatrix const& w, Scalar* to);
  /// The same of bfloat16, which `w.dtype` says.
  static void pack(bfloat16 const* from, MatrixSteps steps, PackedMatrix const& w, bfloat16* to);
  /// The same of half.
  static void pack(half const* from, MatrixSteps steps, PackedMatrix const& w, half* to);
  /// y = β·y + x·Wᵀ; x `[rows, in]`, y `[rows, out]`.
  static void times_transposed(PackedMatrix const& w, Scalar const* x, Index rows, Scalar* y, Scalar beta);
  /// y = β·y + g·W; g `[rows, out]`, y `[rows, in]`.
  static void times(PackedMatrix const& w, Scalar const* g, Index rows, Scalar* y, Scalar beta);
};

}  // namespace graft::kernels

#if !defined(GRAFT_COMPILED) && !defined(__CUDACC__)
#include <graft/kernels/cpu/packed.hpp>
#endif
