/// @file
/// @brief Dropout on a GPU. The keys are derived there, from a few numbers a row.
#pragma once

#include <graft/kernels/cuda/launch.cuh>
#include <graft/kernels/dropout.hpp>

namespace graft::kernels {

namespace cuda {

/// The key of a token: its row is the last that begins no later, because empty ones begin where the next does.
__device__ inline RandomKey key_of(KeyedRows<Cuda> const& rows, Index token) {
  Index low = 0, high = rows.count - 1;
  while (low < high) {
    Index const middle = (low + high + 1) / 2;
    if (rows.offsets.raw()[middle] <= token)
      low = middle;
    else
      high = middle - 1;
  }
  return token_key(rows.key, rows.addresses.raw()[low], token - rows.offsets.raw()[low]);
}

/// A block takes a token at a time, a thread the columns j and j + 32 of a strip of 64, which 64 bits serve.
template <class Scalar>
__global__ void dropout_kernel(KeyedRows<Cuda> rows, Scalar const* x, std::uint32_t threshold, Scalar factor,
                               Index width, Scalar* y) {
  for (Index i = blockIdx.x; i < rows.tokens; i += gridDim.x) {
    RandomKey const key = key_of(rows, i);
    Index const pairs = (width + 63) / 64 * 32;
    for (Index pair = threadIdx.x; pair < pairs; pair += blockDim.x) {
      std::uint64_t const bits = key.bits(static_cast<std::uint64_t>(pair));
      Index const j = pair / 32 * 64 + pair % 32;
      if (j < width)
        y[i * width + j] = x[i * width + j] * (static_cast<std::uint32_t>(bits) >= threshold ? factor : Scalar(0));
      if (j + 32 < width)
        y[i * width + j + 32] =
            x[i * width + j + 32] * (static_cast<std::uint32_t>(bits >> 32) >= threshold ? factor : Scalar(0));
    }
  }
}

}  // namespace cuda

template <class Scalar>
void Dropout<Cuda, Scalar>::dropout(DevicePointer<Scalar const> x, KeyedRows<Cuda> const& rows, std::uint32_t threshold,
                                    Scalar factor, Index width, DevicePointer<Scalar> y) {
  if (rows.tokens > 0 && width > 0)
    cuda::launch("dropout", &cuda::dropout_kernel<Scalar>, cuda::blocks_for(rows.tokens, 1), dim3(cuda::block_threads),
                 rows, x.raw(), threshold, factor, width, y.raw());
}

}  // namespace graft::kernels
