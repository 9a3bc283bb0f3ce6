/// @file
/// @brief Sums on a GPU in an order that depends on the size alone, not on the device; the result stays there, and nothing waits for it.
#pragma once

#include <graft/kernels/cuda/reduce.cuh>
#include <graft/kernels/sum.hpp>

namespace graft::kernels::cuda {

namespace sum {

template <class Scalar>
struct Element {
  Scalar const* x;
  __device__ Scalar operator()(Index i) const { return x[i]; }
};
template <class Scalar>
struct Product {
  Scalar const *a, *b;
  __device__ Scalar operator()(Index i) const { return a[i] * b[i]; }
};
template <class Scalar>
struct SquaredDifference {
  Scalar const *a, *b;
  __device__ Scalar operator()(Index i) const { return (a[i] - b[i]) * (a[i] - b[i]); }
};

/// result = factor · Σ term(i): one block adds the sums of the others.
template <class Term, class Scalar>
void reduce(char const* name, Index size, Term const& term, Scalar factor, Scalar* result) {
  unsigned const blocks = sum_blocks(size);
  if (blocks == 1) return launch(name, &sum_kernel<Term, Scalar>, 1, dim3(block_threads), size, term, factor, result);
  Scratch const scratch(blocks * sizeof(Scalar));
  auto* const sums = static_cast<Scalar*>(scratch.data());
  launch(name, &sum_kernel<Term, Scalar>, blocks, dim3(block_threads), size, term, Scalar(1), sums);
  launch(name, &sum_kernel<Element<Scalar>, Scalar>, 1, dim3(block_threads), static_cast<Index>(blocks), Element<Scalar>{sums}, factor,
         result);
}

template <class Scalar>
struct Broadcast {
  Scalar const* d;
  Scalar* y;
  __device__ void operator()(Index i) const { y[i] = *d; }
};
template <class Scalar>
struct ScaleBy {
  Scalar const *a, *d;
  Scalar* y;
  __device__ void operator()(Index i) const { y[i] = *d * a[i]; }
};
template <class Scalar>
struct ScaledDifference {
  Scalar const *a, *b, *d;
  Scalar factor;
  Scalar* y;
  __device__ void operator()(Index i) const { y[i] = *d * factor * (a[i] - b[i]); }
};

}  // namespace sum

template <class Scalar>
void Sum<Scalar>::sum(Scalar const* x, Index size, Scalar* result) {
  sum::reduce("sum", size, sum::Element<Scalar>{x}, Scalar(1), result);
}
template <class Scalar>
void Sum<Scalar>::dot(Scalar const* a, Scalar const* b, Index size, Scalar* result) {
  sum::reduce("dot", size, sum::Product<Scalar>{a, b}, Scalar(1), result);
}
template <class Scalar>
void Sum<Scalar>::squared_distance(Scalar const* a, Scalar const* b, Scalar factor, Index size, Scalar* result) {
  sum::reduce("squared_distance", size, sum::SquaredDifference<Scalar>{a, b}, factor, result);
}
template <class Scalar>
void Sum<Scalar>::broadcast(Scalar const* d, Scalar* y, Index size) {
  each("broadcast", size, sum::Broadcast<Scalar>{d, y});
}
template <class Scalar>
void Sum<Scalar>::scale_by(Scalar const* a, Scalar const* d, Scalar* y, Index size) {
  each("scale_by", size, sum::ScaleBy<Scalar>{a, d, y});
}
template <class Scalar>
void Sum<Scalar>::scaled_difference(Scalar const* a, Scalar const* b, Scalar const* d, Scalar factor, Scalar* y, Index size) {
  each("scaled_difference", size, sum::ScaledDifference<Scalar>{a, b, d, factor, y});
}

}  // namespace graft::kernels::cuda
