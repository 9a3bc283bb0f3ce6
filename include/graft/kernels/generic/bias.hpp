/// @file
/// @brief Bias on every device.
#pragma once

#include <graft/kernels/bias.hpp>
#include <graft/kernels/loops.hpp>

namespace graft::kernels {

namespace generic {
template <class Scalar>
struct AddBias {
  Scalar const *x, *bias;
  Index width;
  GRAFT_HOST_DEVICE Scalar operator()(Index i, Index j) const { return x[i * width + j] + bias[j]; }
};
template <class Scalar>
struct MatrixElement {
  Scalar const* x;
  Index width;
  GRAFT_HOST_DEVICE Scalar operator()(Index i, Index j) const { return x[i * width + j]; }
};
}  // namespace generic

template <class Device, class Scalar>
void Bias<Device, Scalar>::add_bias(In x, SumIn bias, Index rows, Index width, Out y) {
  Loops<Device>::map_rows("add_bias", rows, width, y, generic::AddBias<Scalar>{raw(x), raw(bias), width});
}
template <class Device, class Scalar>
void Bias<Device, Scalar>::add_to_rows(SumIn bias, Index rows, Index width, Out y) {
  add_bias(y, bias, rows, width, y);
}
template <class Device, class Scalar>
void Bias<Device, Scalar>::sum_rows(In x, Index rows, Index width, SumOut y) {
  Loops<Device>::sum_rows("sum_rows", rows, width, y, generic::MatrixElement<Scalar>{raw(x), width});
}

extern template struct Bias<Cuda, float>;  // of the source that graft_add_cuda generates
extern template struct Bias<Cuda, double>;

}  // namespace graft::kernels
