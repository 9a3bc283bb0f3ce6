/// @file
/// @brief Σ x², as norms need it, and what clipping makes of it. All numbers stay on the device.
#pragma once

#include <vector>

#include <graft/kernels/on.hpp>

namespace graft::kernels {

template <class Device, class Scalar>
struct SumSquares {
  using In = Pointer<Device, Scalar const>;
  using Out = Pointer<Device, Scalar>;

  /// result = Σ x_i² in double, in an order that depends on `size` alone. NaN or infinite if an element is.
  static void sum_squares(In x, Index size, Pointer<Device, double> result);
  /// An array among several.
  struct Array {
    In x;
    Index size;
  };
  /// results_k = Σ x_i² of the k-th array: on a GPU by two launches for all of them.
  static void sum_squares(std::vector<Array> const& arrays, Pointer<Device, double> results);
  /// norm = √Σ_k squares_k over `count` sums, in their order; coefficient = min(1, max_norm / (norm + 1e-6)), or 1 for
  /// a `max_norm` of 0; NaN where the norm is infinite or NaN.
  static void clip(Pointer<Device, double const> squares, Index count, double max_norm, Pointer<Device, double> norm,
                   Pointer<Device, double> coefficient);
};

}  // namespace graft::kernels

#if !defined(GRAFT_COMPILED) && !defined(__CUDACC__)
#include <graft/kernels/cpu/sum_squares.hpp>
#endif
