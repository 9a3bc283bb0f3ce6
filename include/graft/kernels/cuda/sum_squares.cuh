/// @file
/// @brief Σ x² on a GPU: blocks sum in double in a fixed order, Thrust adds the blocks' sums.
#pragma once

#include <thrust/execution_policy.h>
#include <thrust/reduce.h>

#include <cstddef>
#include <exception>

#include <graft/kernels/cuda/loops.cuh>
#include <graft/kernels/generic/sum_squares.hpp>

namespace graft::kernels {

namespace cuda {

/// Thrust's temporary storage, from the pool.
struct ScratchAllocator {
  using value_type = char;
  char* allocate(std::ptrdiff_t bytes) { return static_cast<char*>(Runtime<Cuda>::allocate(static_cast<std::size_t>(bytes))); }
  void deallocate(char* block, std::size_t) noexcept { Runtime<Cuda>::release(block); }
};

/// The sum of numbers on the device, for the host: waits for it. One instantiation serves all scalars, because Thrust is slow to compile.
inline double total(double const* numbers, Index count) {
  ScratchAllocator allocator;
  try {
    return thrust::reduce(thrust::cuda::par(allocator).on(stream()), numbers, numbers + count);
  } catch (Error const&) {
    throw;
  } catch (std::exception const& error) {  // thrust::system_error
    (void)cudaGetLastError();
    fail("[cuda] thrust::reduce failed on ", Runtime<Cuda>::describe(), "; got ", error.what(), " for ", count,
         " numbers; expected their sum");
  }
}

}  // namespace cuda

template <class F>
double Loops<Cuda>::total(char const* name, Index size, F const& f) {
  if (size <= 0) return 0;
  unsigned const blocks = cuda::sum_blocks(size);
  cuda::Scratch const scratch(blocks * sizeof(double));
  auto* const sums = static_cast<double*>(scratch.data());
  cuda::launch(name, &cuda::sum_kernel<F, double>, blocks, dim3(cuda::block_threads), size, f, 1.0, sums);
  return cuda::total(sums, blocks);
}

}  // namespace graft::kernels
