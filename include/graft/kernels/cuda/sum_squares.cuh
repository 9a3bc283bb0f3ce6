/// @file
/// @brief Σ x² on a GPU, by Thrust; equal bits from run to run on one kind of device.
#pragma once

#include <thrust/execution_policy.h>
#include <thrust/functional.h>
#include <thrust/transform_reduce.h>

#include <cstddef>
#include <exception>

#include <graft/kernels/cuda/runtime.cuh>
#include <graft/kernels/sum_squares.hpp>

namespace graft::kernels::cuda {

/// Thrust's temporary storage, from the pool.
struct ScratchAllocator {
  using value_type = char;
  char* allocate(std::ptrdiff_t bytes) { return static_cast<char*>(Runtime<Cuda>::allocate(static_cast<std::size_t>(bytes))); }
  void deallocate(char* block, std::size_t) noexcept { Runtime<Cuda>::release(block); }
};

template <class Scalar>
struct SquareInDouble {
  __device__ double operator()(Scalar x) const { return static_cast<double>(x) * static_cast<double>(x); }
};

template <class Scalar>
double SumSquares<Scalar>::sum_squares(Scalar const* x, Index size) {
  if (size <= 0) return 0;
  ScratchAllocator allocator;
  try {
    return thrust::transform_reduce(thrust::cuda::par(allocator).on(stream()), x, x + size, SquareInDouble<Scalar>{}, 0.0, thrust::plus<double>{});
  } catch (Error const&) {
    throw;
  } catch (std::exception const& error) {  // thrust::system_error
    (void)cudaGetLastError();
    fail("[cuda] thrust::transform_reduce failed on ", Runtime<Cuda>::describe(), "; got ", error.what(), " for ", size, " elements; expected their sum of squares");
  }
}

}  // namespace graft::kernels::cuda
