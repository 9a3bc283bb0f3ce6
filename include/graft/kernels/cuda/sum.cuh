/// @file
/// @brief Sums on a GPU in an order that depends on the size alone, not on the device; the result stays there, and nothing waits for it.
#pragma once

#include <graft/kernels/cuda/launch.cuh>
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

/// sums[block] = factor · Σ of the terms whose threads are in the block
template <class Term, class Scalar>
__global__ void sum_kernel(Index size, Term term, Scalar factor, Scalar* sums) {
  Scalar sum = 0;
  for (Index i = first_index(); i < size; i += index_step()) sum += term(i);
  sum = block_sum(sum);
  if (threadIdx.x == 0) sums[blockIdx.x] = factor * sum;
}

/// Memory for the time of a few launches.
class Scratch {
 public:
  explicit Scratch(std::size_t bytes) : block_(Runtime<Cuda>::allocate(bytes)) {}
  ~Scratch() { Runtime<Cuda>::release(block_); }
  Scratch(Scratch const&) = delete;
  Scratch& operator=(Scratch const&) = delete;
  [[nodiscard]] void* data() const { return block_; }

 private:
  void* block_;
};

/// result = factor · Σ term(i): up to 1024 blocks sum 8 terms a thread or more, one block adds their sums.
template <class Term, class Scalar>
void reduce(char const* name, Index size, Term const& term, Scalar factor, Scalar* result) {
  unsigned const wanted = blocks_for(size, 8 * block_threads), blocks = wanted < 1024 ? wanted : 1024;
  if (blocks == 1) return launch(name, &sum_kernel<Term, Scalar>, 1, dim3(block_threads), size, term, factor, result);
  Scratch const scratch(blocks * sizeof(Scalar));
  auto* const sums = static_cast<Scalar*>(scratch.data());
  launch(name, &sum_kernel<Term, Scalar>, blocks, dim3(block_threads), size, term, Scalar(1), sums);
  launch(name, &sum_kernel<Element<Scalar>, Scalar>, 1, dim3(block_threads), static_cast<Index>(blocks), Element<Scalar>{sums}, factor, result);
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
