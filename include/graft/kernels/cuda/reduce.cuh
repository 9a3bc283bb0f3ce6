/// @file
/// @brief The sums of blocks, in an order that depends on the number of terms alone, not on the device.
#pragma once

#include <graft/kernels/cuda/launch.cuh>

namespace graft::kernels::cuda {

/// Memory on the device for the time of a few launches.
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

/// Σ of the threads' values of a block of `block_threads`, in a fixed tree; the sum is thread 0's. All threads must
/// call it.
template <class Sum>
__device__ Sum block_sum(Sum value) {
  __shared__ Sum values[block_threads];
  unsigned const thread = threadIdx.x;
  values[thread] = value;
  for (unsigned half = block_threads / 2; half > 0; half /= 2) {
    __syncthreads();
    if (thread < half) values[thread] += values[thread + half];
  }
  return thread == 0 ? values[0] : Sum(0);
}

/// sums[block] = factor · Σ of the terms whose threads are in the block; for blocks of `block_threads`.
template <class Term, class Sum>
__global__ void sum_kernel(Index size, Term term, Sum factor, Sum* sums) {
  Sum sum = 0;
  for (Index i = first_index(); i < size; i += index_step()) sum += term(i);
  sum = block_sum(sum);
  if (threadIdx.x == 0) sums[blockIdx.x] = factor * sum;
}
/// How many blocks sum `size` terms: 8 terms a thread, or more where that would take over 1024 blocks.
inline unsigned sum_blocks(Index size) {
  unsigned const blocks = blocks_for(size, 8 * block_threads);
  return blocks < 1024 ? blocks : 1024;
}

}  // namespace graft::kernels::cuda
