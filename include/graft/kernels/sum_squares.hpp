/// @file
/// @brief Σ x², as norms need it.
#pragma once

#include <graft/kernels/on.hpp>

namespace graft::kernels {

template <class Device, class Scalar>
struct SumSquares {
  using In = Pointer<Device, Scalar const>;
  using Out = Pointer<Device, Scalar>;

  /// Σ x_i² in double, in an order that depends on `size` alone. NaN or infinite if an element is.
  [[nodiscard]] static double sum_squares(In x, Index size);
};

}  // namespace graft::kernels

#if !defined(GRAFT_COMPILED) && !defined(__CUDACC__)
#include <graft/kernels/cpu/sum_squares.hpp>
#endif
