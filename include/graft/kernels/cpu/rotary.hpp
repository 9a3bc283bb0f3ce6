/// @file
/// @brief Rotary position embeddings on the host.
#pragma once

#include <algorithm>
#include <cmath>
#include <utility>

#include <graft/core/profile.hpp>
#include <graft/kernels/cpu/loop.hpp>
#include <graft/kernels/rotary.hpp>

namespace graft::kernels {

template <class Device, class Scalar>
void Rotary<Device, Scalar>::rotary_table(Pointer<Device, double const> frequencies, Index half, Index first,
                                          Index last, Out table) {
  parallel_chunks(last - first, rows_per_chunk(32 * half), [=](Index begin, Index end) {
    for (Index p = first + begin; p < first + end; ++p) {
      for (Index j = 0; j < half; ++j) {
        double const angle = static_cast<double>(p) * frequencies[j];
        table[2 * half * p + j] = static_cast<Scalar>(std::cos(angle));
        table[2 * half * p + half + j] = static_cast<Scalar>(std::sin(angle));
      }
    }
  });
}

template <class Device, class Scalar>
void Rotary<Device, Scalar>::rotate(In x, Pointer<Device, SumOf<Scalar> const> table,
                                    Pointer<Device, Index const> positions, SumOf<Scalar> direction, Index tokens,
                                    Index heads, Index head_width, Index half, Out y) {
  KernelTimer const timer("rotary positions", 0,
                          2.0 * sizeof(Scalar) * static_cast<double>(tokens * heads * head_width));
  parallel_chunks(tokens, rows_per_chunk(heads * head_width), [=](Index first, Index last) {
    for (Index t = first; t < last; ++t) {
      Scalar const* const cosine = table + 2 * half * positions[t];
      Scalar const* const sine = cosine + half;
      for (Index head = t * heads; head < (t + 1) * heads; ++head) {
        Scalar const* const from = x + head * head_width;
        Scalar* const to = y + head * head_width;
        cpu::map_here(to, to + half, half, [=](Index j) {
          Scalar const a = from[j], b = from[j + half], turn = direction * sine[j];
          return std::pair<Scalar, Scalar>(a * cosine[j] - b * turn, b * cosine[j] + a * turn);
        });
        if (to != from) std::copy(from + 2 * half, from + head_width, to + 2 * half);
      }
    }
  });
}

}  // namespace graft::kernels
