/// @file
/// @brief Elementwise loops on a GPU.
#pragma once

#include <graft/kernels/cuda/launch.cuh>
#include <graft/kernels/elementwise.hpp>

namespace graft::kernels::cuda {

namespace elementwise {
template <class Scalar>
struct Fill {
  Scalar* y;
  Scalar value;
  __device__ void operator()(Index i) const { y[i] = value; }
};
template <class Scalar>
struct Add {
  Scalar const *a, *b;
  Scalar* y;
  __device__ void operator()(Index i) const { y[i] = a[i] + b[i]; }
};
template <class Scalar>
struct Scale {
  Scalar const* a;
  Scalar factor;
  Scalar* y;
  __device__ void operator()(Index i) const { y[i] = factor * a[i]; }
};
template <class Scalar>
struct Multiply {
  Scalar const *a, *b;
  Scalar* y;
  __device__ void operator()(Index i) const { y[i] = a[i] * b[i]; }
};
template <class Scalar>
struct AddScaled {
  Scalar const* a;
  Scalar factor;
  Scalar* y;
  __device__ void operator()(Index i) const { y[i] += factor * a[i]; }
};
}  // namespace elementwise

template <class Scalar>
void Elementwise<Scalar>::fill(Scalar* y, Scalar value, Index size) {
  each("fill", size, elementwise::Fill<Scalar>{y, value});
}
template <class Scalar>
void Elementwise<Scalar>::add(Scalar const* a, Scalar const* b, Scalar* y, Index size) {
  each("add", size, elementwise::Add<Scalar>{a, b, y});
}
template <class Scalar>
void Elementwise<Scalar>::scale(Scalar const* a, Scalar factor, Scalar* y, Index size) {
  each("scale", size, elementwise::Scale<Scalar>{a, factor, y});
}
template <class Scalar>
void Elementwise<Scalar>::multiply(Scalar const* a, Scalar const* b, Scalar* y, Index size) {
  each("multiply", size, elementwise::Multiply<Scalar>{a, b, y});
}
template <class Scalar>
void Elementwise<Scalar>::add_scaled(Scalar const* a, Scalar factor, Scalar* y, Index size) {
  each("add_scaled", size, elementwise::AddScaled<Scalar>{a, factor, y});
}

}  // namespace graft::kernels::cuda
