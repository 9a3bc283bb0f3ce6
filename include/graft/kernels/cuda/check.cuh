/// @file
/// @brief What CUDA reports, as an error in words.
#pragma once

#include <cuda_runtime.h>

#include <graft/core/error.hpp>
#include <graft/kernels/cuda_runtime.hpp>

namespace graft::kernels::cuda {

/// Throws what a CUDA call (`call`, with `details` of its operands) reported, unless it succeeded.
template <class... Details>
void check(cudaError_t status, char const* call, Details const&... details) {
  if (status == cudaSuccess) return;
  (void)cudaGetLastError();  // reported here: the next call starts clean, unless the device itself is lost
  fail("[cuda] ", call, " failed on ", Runtime<Cuda>::describe(), "; got ", cudaGetErrorName(status), " (",
       cudaGetErrorString(status), ")", details...,
       "; expected cudaSuccess; hint: CUDA_LAUNCH_BLOCKING=1 with GRAFT_CUDA_GRAPHS=0 reports failures at the kernel "
       "that "
       "caused them");
}

}  // namespace graft::kernels::cuda
