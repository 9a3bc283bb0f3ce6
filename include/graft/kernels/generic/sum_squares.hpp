/// @file
/// @brief Σ x² on every device.
#pragma once

#include <cmath>
#include <vector>

#include <graft/kernels/loops.hpp>
#include <graft/kernels/sum_squares.hpp>

namespace graft::kernels {

namespace generic {
template <class Scalar>
struct Square {
  Scalar const* x;
  GRAFT_HOST_DEVICE double operator()(Index i) const { return static_cast<double>(x[i]) * static_cast<double>(x[i]); }
};
struct ClipStep {
  double const* squares;
  Index count;
  double max_norm;
  double *norm, *coefficient;
  GRAFT_HOST_DEVICE void operator()(Index) const {
    double sum = 0;
    for (Index k = 0; k < count; ++k) sum += squares[k];
    *norm = std::sqrt(sum);
    double const wanted = max_norm / (*norm + 1e-6);
    bool const sound = *norm - *norm == 0.0;  // neither infinite nor NaN
    *coefficient = !sound ? *norm - *norm : max_norm > 0.0 && wanted < 1.0 ? wanted : 1.0;
  }
};
}  // namespace generic

template <class Device, class Scalar>
void SumSquares<Device, Scalar>::sum_squares(In x, Index size, Pointer<Device, double> result) {
  Loops<Device>::total("sum_squares", size, generic::Square<Scalar>{raw(x)}, result);
}
template <class Device, class Scalar>
void SumSquares<Device, Scalar>::sum_squares(std::vector<Array> const& arrays, Pointer<Device, double> results) {
  std::vector<Piece<generic::Square<Scalar>>> pieces;
  pieces.reserve(arrays.size());
  for (auto const& array : arrays) pieces.push_back({{raw(array.x)}, array.size});
  Loops<Device>::totals("sum_squares", pieces, results);
}
template <class Device, class Scalar>
void SumSquares<Device, Scalar>::clip(Pointer<Device, double const> squares, Index count, double max_norm,
                                      Pointer<Device, double> norm, Pointer<Device, double> coefficient) {
  Loops<Device>::each("clip", 1, generic::ClipStep{raw(squares), count, max_norm, raw(norm), raw(coefficient)});
}

extern template struct SumSquares<Cuda, float>;  // of the source that graft_add_cuda generates
extern template struct SumSquares<Cuda, double>;

}  // namespace graft::kernels
