/// @file
/// @brief Scaling of columns and rows on every device.
#pragma once

#include <graft/kernels/loops.hpp>
#include <graft/kernels/scale_columns.hpp>

namespace graft::kernels {

namespace generic {
template <class Scalar>
struct ScaledByColumn {
  Scalar const *x, *gain;
  Index width;
  GRAFT_HOST_DEVICE Scalar operator()(Index i, Index j) const { return x[i * width + j] * gain[j]; }
};
template <class Scalar>
struct ScaledByRow {
  Scalar const *x, *gain;
  Index width;
  GRAFT_HOST_DEVICE Scalar operator()(Index i, Index j) const { return x[i * width + j] * gain[i]; }
};
template <class Scalar>
struct ColumnGainTerm {
  Scalar const *x, *dy;
  Index width;
  GRAFT_HOST_DEVICE Scalar operator()(Index i, Index j) const { return dy[i * width + j] * x[i * width + j]; }
};
}  // namespace generic

template <class Device, class Scalar>
void ScaleColumns<Device, Scalar>::scale_columns(In x, In gain, Index rows, Index width, Out y) {
  Loops<Device>::map_rows("scale_columns", rows, width, y, generic::ScaledByColumn<Scalar>{raw(x), raw(gain), width});
}
template <class Device, class Scalar>
void ScaleColumns<Device, Scalar>::scale_rows(In x, In gain, Index rows, Index width, Out y) {
  Loops<Device>::map_rows("scale_rows", rows, width, y, generic::ScaledByRow<Scalar>{raw(x), raw(gain), width});
}
template <class Device, class Scalar>
void ScaleColumns<Device, Scalar>::scale_columns_gain_gradient(In x, In dy, Index rows, Index width, Out dgain) {
  Loops<Device>::sum_rows("scale_columns_gain_gradient", rows, width, dgain,
                          generic::ColumnGainTerm<Scalar>{raw(x), raw(dy), width});
}

extern template struct ScaleColumns<Cuda, float>;  // of the source that graft_add_cuda generates
extern template struct ScaleColumns<Cuda, double>;

}  // namespace graft::kernels
