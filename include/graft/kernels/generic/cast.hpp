/// @file
/// @brief Casts on every device.
#pragma once

#include <graft/kernels/cast.hpp>
#include <graft/kernels/loops.hpp>

namespace graft::kernels {

namespace generic {
template <class Narrow>
struct Widened {
  Narrow const* x;
  GRAFT_HOST_DEVICE SumOf<Narrow> operator()(Index i) const { return wide(x[i]); }
};
template <class Narrow>
struct Rounded {
  SumOf<Narrow> const* x;
  GRAFT_HOST_DEVICE Narrow operator()(Index i) const { return Narrow(x[i]); }
};
template <class Narrow>
struct RoundedColumns {
  SumOf<Narrow> const* x;
  Index stride;
  GRAFT_HOST_DEVICE Narrow operator()(Index i, Index j) const { return Narrow(x[i * stride + j]); }
};
template <class Narrow>
struct AddToColumns {
  Narrow const* x;
  Index width;
  SumOf<Narrow>* y;
  Index stride;
  GRAFT_HOST_DEVICE void operator()(Index i, Index j) const { y[i * stride + j] += wide(x[i * width + j]); }
};
}  // namespace generic

template <class Device, class Narrow>
void Cast<Device, Narrow>::widen(In x, SumOut y, Index size) {
  Loops<Device>::map("widen", y, size, generic::Widened<Narrow>{raw(x)});
}
template <class Device, class Narrow>
void Cast<Device, Narrow>::round(SumIn x, Out y, Index size) {
  Loops<Device>::map("round", y, size, generic::Rounded<Narrow>{raw(x)});
}
template <class Device, class Narrow>
void Cast<Device, Narrow>::round_columns(Strided<SumOf<Narrow> const, Device> x, Index rows, Index width, Out y) {
  Loops<Device>::map_rows("round_columns", rows, width, y, generic::RoundedColumns<Narrow>{raw(x.data), x.stride});
}
template <class Device, class Narrow>
void Cast<Device, Narrow>::add_to_columns(In x, Index rows, Index width, Strided<SumOf<Narrow>, Device> y) {
  Loops<Device>::each_in_rows("add_to_columns", rows, width,
                              generic::AddToColumns<Narrow>{raw(x), width, raw(y.data), y.stride});
}

extern template struct Cast<Cuda, bfloat16>;  // of the source that graft_add_cuda generates

}  // namespace graft::kernels
