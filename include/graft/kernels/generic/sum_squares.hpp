/// @file
/// @brief Σ x² on every device.
#pragma once

#include <graft/kernels/loops.hpp>
#include <graft/kernels/sum_squares.hpp>

namespace graft::kernels {

namespace generic {
template <class Scalar>
struct Square {
  Scalar const* x;
  GRAFT_HOST_DEVICE double operator()(Index i) const { return static_cast<double>(x[i]) * static_cast<double>(x[i]); }
};
}  // namespace generic

template <class Device, class Scalar>
double SumSquares<Device, Scalar>::sum_squares(In x, Index size) {
  return Loops<Device>::total("sum_squares", size, generic::Square<Scalar>{raw(x)});
}

extern template struct SumSquares<Cuda, float>;  // of the source that graft_add_cuda generates
extern template struct SumSquares<Cuda, double>;

}  // namespace graft::kernels
