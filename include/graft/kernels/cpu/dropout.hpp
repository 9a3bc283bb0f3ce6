/// @file
/// @brief Dropout on the host.
#pragma once

#include <algorithm>

#include <graft/kernels/cpu/loop.hpp>
#include <graft/kernels/dropout.hpp>

namespace graft::kernels {

template <class Device, class Scalar>
void Dropout<Device, Scalar>::dropout(In x, Pointer<Device, RandomKey const> keys, std::uint32_t threshold,
                                      Scalar factor, Index rows, Index width, Out y) {
  constexpr Index half = 32, block = 2 * half;
  parallel_chunks(rows, rows_per_chunk(width), [=](Index first, Index last) {
    std::uint64_t bits[half];
    Scalar scales[block];
    for (Index i = first; i < last; ++i) {
      RandomKey const key = keys[i];
      for (Index begin = 0; begin < width; begin += block) {
        for (Index j = 0; j < half; ++j)
          bits[j] = key.bits(static_cast<std::uint64_t>(begin / 2 + j));  // 64 bits serve two columns
        for (Index j = 0; j < half; ++j)
          scales[j] = static_cast<std::uint32_t>(bits[j]) >= threshold ? factor : Scalar(0);
        for (Index j = 0; j < half; ++j)
          scales[half + j] = static_cast<std::uint32_t>(bits[j] >> 32) >= threshold ? factor : Scalar(0);
        Scalar const* const from = x + i * width + begin;
        cpu::map_here(y + i * width + begin, std::min(block, width - begin),
                      [&](Index j) { return from[j] * scales[j]; });
      }
    }
  });
}

}  // namespace graft::kernels
