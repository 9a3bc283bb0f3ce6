/// @file
/// @brief Gathering and scattering rows on a GPU.
#pragma once

#include <graft/kernels/cuda/launch.cuh>
#include <graft/kernels/gather.hpp>

namespace graft::kernels {

namespace cuda {

/// Row k of what is copied or added: from row `from[k]` of x to row `to[k]` of y.
template <class From, class To>
struct MovedRows {
  From const* x;
  Index x_stride;
  Index const* from;
  To* y;
  Index y_stride;
  Index const* to;
  __device__ From const* source(Index k) const { return x + (from ? from[k] : k) * x_stride; }
  __device__ To* target(Index k) const { return y + (to ? to[k] : k) * y_stride; }
};
template <class From, class To>
struct CopyRows {
  MovedRows<From, To> rows;
  __device__ void operator()(Index k, Index j) const { rows.target(k)[j] = rows.source(k)[j]; }
};
template <class From, class To>
struct AddRows {
  MovedRows<From, To> rows;
  __device__ void operator()(Index k, Index j) const { rows.target(k)[j] += static_cast<To>(rows.source(k)[j]); }
};
/// A thread walks down a column, so that equal targets are added in the order of k.
template <class From, class To>
struct AddColumn {
  MovedRows<From, To> rows;
  Index count;
  __device__ void operator()(Index j) const {
    for (Index k = 0; k < count; ++k) rows.target(k)[j] += static_cast<To>(rows.source(k)[j]);
  }
};

}  // namespace cuda

template <class Scalar>
void Gather<Cuda, Scalar>::copy_rows(In x, Places from, Out y, Places to, Index count, Index width) {
  copy_columns({x, width}, from, {y, width}, to, count, width);
}

template <class Scalar>
void Gather<Cuda, Scalar>::copy_columns(Strided<Scalar const, Cuda> x, Places from, Strided<Scalar, Cuda> y, Places to,
                                        Index count, Index width) {
  cuda::each_in_rows(
      "copy_rows", count, width,
      cuda::CopyRows<Scalar, Scalar>{{x.data.raw(), x.stride, from.raw(), y.data.raw(), y.stride, to.raw()}});
}

template <class Scalar>
void Gather<Cuda, Scalar>::add_rows(In x, Places from, DevicePointer<SumOf<Scalar>> y, Places to, bool distinct,
                                    Index count, Index width) {
  using Sum = SumOf<Scalar>;
  cuda::MovedRows<Scalar, Sum> const rows{x.raw(), width, from.raw(), y.raw(), width, to.raw()};
  if (distinct || !to)
    cuda::each_in_rows("add_rows", count, width, cuda::AddRows<Scalar, Sum>{rows});
  else
    cuda::each("add_rows", width, cuda::AddColumn<Scalar, Sum>{rows, count});
}

}  // namespace graft::kernels
