/// @file
/// @brief Differences, quotients and the logistic function on every device.
#pragma once

#include <graft/kernels/arithmetic.hpp>
#include <graft/kernels/loops.hpp>

namespace graft::kernels {

namespace generic {
template <class Scalar>
struct Difference {
  Scalar const *a, *b;
  GRAFT_HOST_DEVICE Scalar operator()(Index i) const { return a[i] - b[i]; }
};
template <class Scalar>
struct Quotient {
  Scalar const *a, *b;
  GRAFT_HOST_DEVICE Scalar operator()(Index i) const { return a[i] / b[i]; }
};
template <class Scalar>
struct DivisorGradient {
  Scalar const *y, *b, *dy;
  GRAFT_HOST_DEVICE Scalar operator()(Index i) const { return -(dy[i] * y[i] / b[i]); }
};
template <class Math, class Scalar>
struct Sigmoid {
  Scalar const* x;
  GRAFT_HOST_DEVICE Scalar operator()(Index i) const { return Scalar(1) / (Scalar(1) + Math::exp(-x[i])); }
};
template <class Scalar>
struct SigmoidGradient {
  Scalar const *y, *dy;
  GRAFT_HOST_DEVICE Scalar operator()(Index i) const { return dy[i] * (y[i] * (Scalar(1) - y[i])); }
};
}  // namespace generic

template <class Device, class Scalar>
void Arithmetic<Device, Scalar>::subtract(In a, In b, Out y, Index size) {
  Loops<Device>::map("subtract", y, size, generic::Difference<Scalar>{raw(a), raw(b)});
}
template <class Device, class Scalar>
void Arithmetic<Device, Scalar>::divide(In a, In b, Out y, Index size) {
  Loops<Device>::map("divide", y, size, generic::Quotient<Scalar>{raw(a), raw(b)});
}
template <class Device, class Scalar>
void Arithmetic<Device, Scalar>::divisor_gradient(In y, In b, In dy, Out db, Index size) {
  Loops<Device>::map("divisor_gradient", db, size, generic::DivisorGradient<Scalar>{raw(y), raw(b), raw(dy)});
}
template <class Device, class Scalar>
void Arithmetic<Device, Scalar>::sigmoid(In x, Out y, Index size) {
  Loops<Device>::map("sigmoid", y, size, generic::Sigmoid<typename Loops<Device>::Math, Scalar>{raw(x)});
}
template <class Device, class Scalar>
void Arithmetic<Device, Scalar>::sigmoid_gradient(In y, In dy, Out dx, Index size) {
  Loops<Device>::map("sigmoid_gradient", dx, size, generic::SigmoidGradient<Scalar>{raw(y), raw(dy)});
}

extern template struct Arithmetic<Cuda, float>;  // of the source that graft_add_cuda generates
extern template struct Arithmetic<Cuda, double>;

}  // namespace graft::kernels
