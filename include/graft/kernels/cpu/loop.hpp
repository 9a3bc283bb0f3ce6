/// @file
/// @brief Loop shapes that the host kernels share: independent elements, sums in lanes, sums down the rows. All cut work by its size alone.
#pragma once

#include <algorithm>

#include <graft/core/thread_pool.hpp>

/// Tells the vectorizer that iterations do not depend on each other. Without it, a loop that writes over one of its inputs takes the
/// scalar path: the compiler's run-time overlap check cannot tell "the same array" from "shifted by one".
#if defined(__clang__)
#define GRAFT_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define GRAFT_INDEPENDENT _Pragma("GCC ivdep")
#endif

namespace graft::kernels::cpu {

/// `f(i)` for i in [0, size), in chunks worth a thread each; arrays that `f` writes may equal, but not partly overlap, those it reads.
template <class F>
void independent(Index size, F const& f) {
  parallel_chunks(size, Index{16384}, [&](Index first, Index last) {
    GRAFT_INDEPENDENT
    for (Index i = first; i < last; ++i) f(i);
  });
}

/// Σ f(i) over [0, size) on this thread, in 64 lanes that are folded at the end: vectorizes without reassociation flags, depends on nothing
/// but the terms (not on the arrays' alignment), and its rounding error grows with size / 64.
template <class Scalar, class F>
[[nodiscard]] Scalar lane_sum(Index size, F const& f) {
  constexpr Index lanes = 64;
  Scalar sums[lanes] = {};
  Index i = 0;
  for (; i + lanes <= size; i += lanes)
    for (Index lane = 0; lane < lanes; ++lane) sums[lane] += f(i + lane);
  for (Index lane = 0; i + lane < size; ++lane) sums[lane] += f(i + lane);
  for (Index half = lanes / 2; half > 0; half /= 2)
    for (Index lane = 0; lane < half; ++lane) sums[lane] += sums[lane + half];
  return sums[0];
}

/// out_j = Σ_i f(i, j) over [0, rows), rows added in blocks of 64 for accuracy; threads share the columns.
template <class Scalar, class F>
void sum_rows(Index rows, Index width, Scalar* out, F const& f) {
  constexpr Index strip = 128, block = 64;
  Index const grain = (rows_per_chunk(rows) + strip - 1) / strip * strip;
  parallel_chunks(width, grain, [&](Index first, Index last) {
    for (Index begin = first; begin < last; begin += strip) {
      Index const columns = std::min(strip, last - begin);
      Scalar total[strip] = {};
      for (Index row = 0; row < rows; row += block) {
        Scalar part[strip] = {};
        for (Index i = row; i < std::min(rows, row + block); ++i)
          for (Index j = 0; j < columns; ++j) part[j] += f(i, begin + j);
        for (Index j = 0; j < columns; ++j) total[j] += part[j];
      }
      std::copy_n(total, columns, out + begin);
    }
  });
}

}  // namespace graft::kernels::cpu
