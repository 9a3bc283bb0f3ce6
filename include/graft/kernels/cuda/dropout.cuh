/// @file
/// @brief Dropout on a GPU. The keys are derived there: what tells tokens from each other, a few numbers a row, travels
/// with the launch's arguments.
#pragma once

#include <algorithm>

#include <graft/kernels/cuda/launch.cuh>
#include <graft/kernels/dropout.hpp>

namespace graft::kernels {

namespace cuda {

/// The rows of one launch: as many as its arguments, of which there may be 4 KB, have room for.
struct KeyTable {
  static constexpr Index most = 128;
  Index offsets[most + 1];  ///< `[count + 1]`, into all tokens
  std::uint64_t addresses[most];
  Index count;
  RandomKey key;

  KeyTable(KeyedRows const& rows, Index first) : count(std::min(most, rows.count - first)), key(rows.key) {
    std::copy_n(rows.offsets + first, count + 1, offsets);
    std::copy_n(rows.addresses + first, count, addresses);
  }
  [[nodiscard]] GRAFT_HOST_DEVICE Index first() const { return offsets[0]; }
  [[nodiscard]] GRAFT_HOST_DEVICE Index last() const { return offsets[count]; }
  /// Of a token in [first(), last()): its row is the last that begins no later, because empty ones begin where the next
  /// does.
  [[nodiscard]] __device__ RandomKey of(Index token) const {
    Index low = 0, high = count - 1;
    while (low < high) {
      Index const middle = (low + high + 1) / 2;
      if (offsets[middle] <= token)
        low = middle;
      else
        high = middle - 1;
    }
    return token_key(key, addresses[low], token - offsets[low]);
  }
};

/// A block takes a token at a time, a thread the columns j and j + 32 of a strip of 64, which 64 bits serve.
template <class Scalar>
__global__ void dropout_kernel(KeyTable table, Scalar const* x, std::uint32_t threshold, Scalar factor, Index width,
                               Scalar* y) {
  for (Index i = table.first() + blockIdx.x; i < table.last(); i += gridDim.x) {
    RandomKey const key = table.of(i);
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
void Dropout<Cuda, Scalar>::dropout(DevicePointer<Scalar const> x, KeyedRows const& rows, std::uint32_t threshold,
                                    Scalar factor, Index width, DevicePointer<Scalar> y) {
  for (Index first = 0; first < rows.count; first += cuda::KeyTable::most) {
    cuda::KeyTable const table(rows, first);
    if (table.first() < table.last() && width > 0)
      cuda::launch("dropout", &cuda::dropout_kernel<Scalar>, cuda::blocks_for(table.last() - table.first(), 1),
                   dim3(cuda::block_threads), table, x.raw(), threshold, factor, width, y.raw());
  }
}

}  // namespace graft::kernels
