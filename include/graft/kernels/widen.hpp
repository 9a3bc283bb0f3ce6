/// @file
/// @brief y_i = x_i in the type that is computed with: of all of an array, or of chosen rows of a matrix.
#pragma once

#include <graft/core/dtype.hpp>
#include <graft/kernels/on.hpp>

namespace graft::kernels {

/// Where the elements of a matrix lie: element j of row i at i · `row` + j · `element`.
struct MatrixSteps {
  Index row, element;
};

template <class Device, class To>
struct Widen {
  using Rows = Pointer<Device, Token const>;
  using Out = Pointer<Device, To>;

  /// Converts `size` stored elements to `To`.
  static void widen(Pointer<Device, float const> x, Out y, Index size);
  static void widen(Pointer<Device, double const> x, Out y, Index size);
  static void widen(Pointer<Device, bfloat16 const> x, Out y, Index size);
  static void widen(Pointer<Device, half const> x, Out y, Index size);
  /// Rows `rows[0]` to `rows[count − 1]` of the stored matrix x; y `[count, width]`.
  static void widen_rows(Pointer<Device, float const> x, MatrixSteps steps, Rows rows, Index count, Index width, Out y);
  static void widen_rows(Pointer<Device, double const> x, MatrixSteps steps, Rows rows, Index count, Index width,
                         Out y);
  static void widen_rows(Pointer<Device, bfloat16 const> x, MatrixSteps steps, Rows rows, Index count, Index width,
                         Out y);
  static void widen_rows(Pointer<Device, half const> x, MatrixSteps steps, Rows rows, Index count, Index width, Out y);
};

}  // namespace graft::kernels

#if !defined(GRAFT_COMPILED) && !defined(__CUDACC__)
#include <graft/kernels/cpu/widen.hpp>
#endif
