/// @file
/// @brief Sums on every device, and their gradients.
#pragma once

#include <graft/kernels/loops.hpp>
#include <graft/kernels/sum.hpp>

namespace graft::kernels {

namespace generic {
template <class Scalar>
struct ElementAt {
  Scalar const* x;
  GRAFT_HOST_DEVICE Scalar operator()(Index i) const { return x[i]; }
};
template <class Scalar>
struct ProductAt {
  Scalar const *a, *b;
  GRAFT_HOST_DEVICE Scalar operator()(Index i) const { return a[i] * b[i]; }
};
template <class Scalar>
struct SquaredDifference {
  Scalar const *a, *b;
  GRAFT_HOST_DEVICE Scalar operator()(Index i) const { return (a[i] - b[i]) * (a[i] - b[i]); }
};
template <class Scalar>
struct Broadcast {
  Scalar const* d;
  GRAFT_HOST_DEVICE Scalar operator()(Index) const { return *d; }
};
template <class Scalar>
struct ScaleBy {
  Scalar const *a, *d;
  GRAFT_HOST_DEVICE Scalar operator()(Index i) const { return *d * a[i]; }
};
template <class Scalar>
struct ScaledDifference {
  Scalar const *a, *b, *d;
  Scalar factor;
  GRAFT_HOST_DEVICE Scalar operator()(Index i) const { return *d * factor * (a[i] - b[i]); }
};
}  // namespace generic

template <class Device, class Scalar>
void Sum<Device, Scalar>::sum(In x, Index size, Out result) {
  Loops<Device>::sum("sum", size, generic::ElementAt<Scalar>{raw(x)}, Scalar(1), result);
}
template <class Device, class Scalar>
void Sum<Device, Scalar>::dot(In a, In b, Index size, Out result) {
  Loops<Device>::sum("dot", size, generic::ProductAt<Scalar>{raw(a), raw(b)}, Scalar(1), result);
}
template <class Device, class Scalar>
void Sum<Device, Scalar>::squared_distance(In a, In b, Scalar factor, Index size, Out result) {
  Loops<Device>::sum("squared_distance", size, generic::SquaredDifference<Scalar>{raw(a), raw(b)}, factor, result);
}
template <class Device, class Scalar>
void Sum<Device, Scalar>::broadcast(In d, Out y, Index size) {
  Loops<Device>::map("broadcast", y, size, generic::Broadcast<Scalar>{raw(d)});
}
template <class Device, class Scalar>
void Sum<Device, Scalar>::scale_by(In a, In d, Out y, Index size) {
  Loops<Device>::map("scale_by", y, size, generic::ScaleBy<Scalar>{raw(a), raw(d)});
}
template <class Device, class Scalar>
void Sum<Device, Scalar>::scaled_difference(In a, In b, In d, Scalar factor, Out y, Index size) {
  Loops<Device>::map("scaled_difference", y, size, generic::ScaledDifference<Scalar>{raw(a), raw(b), raw(d), factor});
}

extern template struct Sum<Cuda, float>;  // of the source that graft_add_cuda generates
extern template struct Sum<Cuda, double>;

}  // namespace graft::kernels
