/// @file
/// @brief Elementwise loops on every device.
#pragma once

#include <cmath>
#include <vector>

#include <graft/kernels/elementwise.hpp>
#include <graft/kernels/loops.hpp>

namespace graft::kernels {

namespace generic {
template <class Scalar>
struct Fill {
  Scalar* y;
  Scalar value;
  GRAFT_HOST_DEVICE void operator()(Index i) const { y[i] = value; }
};
template <class Scalar>
struct Add {
  Scalar const *a, *b;
  Scalar* y;
  GRAFT_HOST_DEVICE void operator()(Index i) const { y[i] = Scalar(wide(a[i]) + wide(b[i])); }
};
template <class Scalar>
struct Scale {
  Scalar const* a;
  SumOf<Scalar> factor;
  Scalar* y;
  GRAFT_HOST_DEVICE void operator()(Index i) const { y[i] = Scalar(factor * wide(a[i])); }
};
template <class Scalar>
struct Multiply {
  Scalar const *a, *b;
  Scalar* y;
  GRAFT_HOST_DEVICE void operator()(Index i) const { y[i] = Scalar(wide(a[i]) * wide(b[i])); }
};
template <class Scalar>
struct AddScaled {
  Scalar const* a;
  SumOf<Scalar> factor;
  Scalar* y;
  GRAFT_HOST_DEVICE void operator()(Index i) const { y[i] = Scalar(wide(y[i]) + factor * wide(a[i])); }
};
template <class Math, class Scalar>
struct Exp {
  Scalar const* a;
  GRAFT_HOST_DEVICE Scalar operator()(Index i) const { return Scalar(Math::exp(wide(a[i]))); }
};
template <class Scalar>
struct Log {
  Scalar const* a;
  GRAFT_HOST_DEVICE Scalar operator()(Index i) const { return Scalar(std::log(wide(a[i]))); }
};
template <class Scalar>
struct Power {
  Scalar const* a;
  SumOf<Scalar> exponent;
  GRAFT_HOST_DEVICE Scalar operator()(Index i) const { return Scalar(std::pow(wide(a[i]), exponent)); }
};
template <class Scalar>
struct CopyElement {
  Scalar const* from;
  Scalar* to;
  GRAFT_HOST_DEVICE void operator()(Index i) const { to[i] = from[i]; }
};
}  // namespace generic

template <class Device, class Scalar>
void Elementwise<Device, Scalar>::copy(std::vector<Copy> const& copies) {
  std::vector<Piece<generic::CopyElement<Scalar>>> pieces;
  pieces.reserve(copies.size());
  for (auto const& copy : copies) pieces.push_back({{raw(copy.from), raw(copy.to)}, copy.size});
  Loops<Device>::each_of("copy", pieces);
}
template <class Device, class Scalar>
void Elementwise<Device, Scalar>::fill(Out y, Scalar value, Index size) {
  Loops<Device>::each("fill", size, generic::Fill<Scalar>{raw(y), value});
}
template <class Device, class Scalar>
void Elementwise<Device, Scalar>::add(In a, In b, Out y, Index size) {
  Loops<Device>::each("add", size, generic::Add<Scalar>{raw(a), raw(b), raw(y)});
}
template <class Device, class Scalar>
void Elementwise<Device, Scalar>::scale(In a, SumOf<Scalar> factor, Out y, Index size) {
  Loops<Device>::each("scale", size, generic::Scale<Scalar>{raw(a), factor, raw(y)});
}
template <class Device, class Scalar>
void Elementwise<Device, Scalar>::multiply(In a, In b, Out y, Index size) {
  Loops<Device>::each("multiply", size, generic::Multiply<Scalar>{raw(a), raw(b), raw(y)});
}
template <class Device, class Scalar>
void Elementwise<Device, Scalar>::add_scaled(In a, SumOf<Scalar> factor, Out y, Index size) {
  Loops<Device>::each("add_scaled", size, generic::AddScaled<Scalar>{raw(a), factor, raw(y)});
}
template <class Device, class Scalar>
void Elementwise<Device, Scalar>::exp(In a, Out y, Index size) {
  Loops<Device>::map("exp", y, size, generic::Exp<typename Loops<Device>::Math, Scalar>{raw(a)});
}
template <class Device, class Scalar>
void Elementwise<Device, Scalar>::log(In a, Out y, Index size) {
  Loops<Device>::map("log", y, size, generic::Log<Scalar>{raw(a)});
}
template <class Device, class Scalar>
void Elementwise<Device, Scalar>::power(In a, SumOf<Scalar> exponent, Out y, Index size) {
  Loops<Device>::map("power", y, size, generic::Power<Scalar>{raw(a), exponent});
}

extern template struct Elementwise<Cuda, float>;  // of the source that graft_add_cuda generates
extern template struct Elementwise<Cuda, double>;
extern template struct Elementwise<Cuda, bfloat16>;

}  // namespace graft::kernels
