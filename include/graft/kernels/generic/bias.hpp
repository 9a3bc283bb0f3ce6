/// @file
/// @brief Bias on every device.
#pragma once

#include <graft/kernels/bias.hpp>
#include <graft/kernels/loops.hpp>

namespace graft::kernels {

namespace generic {
/// Of x as it is stored, or as sums that have not been rounded yet.
template <class Scalar, class X>
struct AddBias {
  X const* x;
  SumOf<Scalar> const* bias;
  Index width;
  GRAFT_HOST_DEVICE Scalar operator()(Index i, Index j) const { return Scalar(wide(x[i * width + j]) + bias[j]); }
};
template <class Scalar>
struct MatrixElement {
  Scalar const* x;
  Index width;
  GRAFT_HOST_DEVICE SumOf<Scalar> operator()(Index i, Index j) const { return wide(x[i * width + j]); }
};
}  // namespace generic

template <class Device, class Scalar>
void Bias<Device, Scalar>::add_bias(In x, SumIn bias, Index rows, Index width, Out y) {
  Loops<Device>::map_rows("add_bias", rows, width, y, generic::AddBias<Scalar, Scalar>{raw(x), raw(bias), width});
}
template <class Device, class Scalar>
void Bias<Device, Scalar>::add_bias_to_sums(SumIn x, SumIn bias, Index rows, Index width, Out y) {
  Loops<Device>::map_rows("add_bias_to_sums", rows, width, y,
                          generic::AddBias<Scalar, SumOf<Scalar>>{raw(x), raw(bias), width});
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
extern template struct Bias<Cuda, bfloat16>;

}  // namespace graft::kernels
