/// @file
/// @brief Dropout on the host.
#pragma once

#include <graft/kernels/cpu/loop.hpp>
#include <graft/kernels/dropout.hpp>

namespace graft::kernels {

template <class Scalar>
void dropout(Cpu, Scalar const* x, RandomKey const* keys, std::uint32_t threshold, Scalar factor, Index rows, Index width, Scalar* y) {
  parallel_chunks(rows, rows_per_chunk(width), [=](Index first, Index last) {
    for (Index i = first; i < last; ++i) {
      RandomKey const key = keys[i];
      Scalar const* const from = x + i * width;
      Scalar* const to = y + i * width;
      Index const pairs = width / 2;
      GRAFT_INDEPENDENT
      for (Index pair = 0; pair < pairs; ++pair) {  // 64 bits serve two columns
        std::uint64_t const bits = key.bits(static_cast<std::uint64_t>(pair));
        Scalar const even = from[2 * pair] * factor, odd = from[2 * pair + 1] * factor;
        to[2 * pair] = static_cast<std::uint32_t>(bits) >= threshold ? even : Scalar(0);
        to[2 * pair + 1] = static_cast<std::uint32_t>(bits >> 32) >= threshold ? odd : Scalar(0);
      }
      if (width % 2 != 0) {
        bool const kept = static_cast<std::uint32_t>(key.bits(static_cast<std::uint64_t>(pairs))) >= threshold;
        to[width - 1] = kept ? from[width - 1] * factor : Scalar(0);
      }
    }
  });
}

}  // namespace graft::kernels
