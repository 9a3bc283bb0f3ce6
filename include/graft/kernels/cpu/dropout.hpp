/// @file
/// @brief Dropout on the host.
#pragma once

#include <algorithm>

#include <graft/core/profile.hpp>
#include <graft/kernels/cpu/loop.hpp>
#include <graft/kernels/dropout.hpp>

namespace graft::kernels {

namespace cpu {
/// y_j = x_j · factor or 0, by the bits of one token's key.
template <class Scalar>
void drop_columns(Scalar const* x, RandomKey key, std::uint32_t threshold, Scalar factor, Index width, Scalar* y) {
  constexpr Index half = 32, block = 2 * half;
  std::uint64_t bits[half];
  Scalar scales[block];
  for (Index begin = 0; begin < width; begin += block) {
    for (Index j = 0; j < half; ++j)
      bits[j] = key.bits(static_cast<std::uint64_t>(begin / 2 + j));  // 64 bits serve two columns
    for (Index j = 0; j < half; ++j) scales[j] = static_cast<std::uint32_t>(bits[j]) >= threshold ? factor : Scalar(0);
    for (Index j = 0; j < half; ++j)
      scales[half + j] = static_cast<std::uint32_t>(bits[j] >> 32) >= threshold ? factor : Scalar(0);
    Scalar const* const from = x + begin;
    map_here(y + begin, std::min(block, width - begin), [&](Index j) { return from[j] * scales[j]; });
  }
}
}  // namespace cpu

template <class Device, class Scalar>
void Dropout<Device, Scalar>::dropout(In x, KeyedRows<Device> const& rows, std::uint32_t threshold, Scalar factor,
                                      Index width, Out y) {
  KernelTimer const timer("dropout", 0, 2.0 * sizeof(Scalar) * static_cast<double>(rows.tokens * width));
  parallel_chunks(rows.tokens, rows_per_chunk(width), [&](Index first, Index last) {
    Index row = std::upper_bound(rows.offsets, rows.offsets + rows.count, first) - rows.offsets - 1;
    for (Index i = first; i < last; ++i) {
      while (rows.offsets[row + 1] <= i) ++row;
      RandomKey const key = token_key(rows.key, rows.addresses[row], i - rows.offsets[row]);
      cpu::drop_columns(x + i * width, key, threshold, factor, width, y + i * width);
    }
  });
}

}  // namespace graft::kernels
