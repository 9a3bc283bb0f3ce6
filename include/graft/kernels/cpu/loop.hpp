/// @file
/// @brief Loop shapes that the host kernels share: elementwise maps, sums in lanes, sums down the rows. All cut work by
/// its size alone.
#pragma once

#include <algorithm>

#include <graft/core/thread_pool.hpp>

namespace graft::kernels::cpu {

/// `f(i)` for i in [0, size) on the pool, in chunks large enough to be worth a thread and small enough to balance.
template <class F>
void each(Index size, F const& f) {
  parallel_chunks(size, Index{16384}, [&](Index first, Index last) {
    F const own = f;  // of this thread: its numbers stay in registers whatever it writes
    for (Index i = first; i < last; ++i) own(i);
  });
}

/// y_i = f(i) for i in [0, size) on this thread; y may be, but not partly overlap, what `f` reads. Blocks pass through
/// a buffer in the first-level cache, which nothing else points to: so the loop vectorizes without run-time overlap
/// checks, in place too, at -O2 too.
template <class Scalar, class F>
void map_here(Scalar* y, Index size, F const& f) {
  constexpr Index block = 64;
  Scalar values[block];
  Index i = 0;
  for (; i + block <= size; i += block) {
    for (Index j = 0; j < block; ++j) values[j] = f(i + j);
    std::copy_n(values, block, y + i);
  }
  for (Index j = 0; i + j < size; ++j) values[j] = f(i + j);
  std::copy_n(values, size - i, y + i);
}

/// (y_i, z_i) = f(i), as `map_here`; `f` returns a pair, whose numbers are rounded here.
template <class Scalar, class F>
void map_here(Scalar* y, Scalar* z, Index size, F const& f) {
  constexpr Index block = 64;
  Scalar first[block], second[block];
  auto const some = [&](Index i, Index count) {
    for (Index j = 0; j < count; ++j) {
      auto const pair = f(i + j);
      first[j] = Scalar(pair.first);
      second[j] = Scalar(pair.second);
    }
    std::copy_n(first, count, y + i);
    std::copy_n(second, count, z + i);
  };
  Index i = 0;
  for (; i + block <= size; i += block) some(i, block);
  some(i, size - i);
}

/// `map_here` on the pool, in chunks worth a thread each.
template <class Scalar, class F>
void map_chunks(Scalar* y, Index size, F const& f) {
  parallel_chunks(size, Index{16384}, [&](Index first, Index last) {
    map_here(y + first, last - first, [&](Index i) { return f(first + i); });
  });
}
template <class Scalar, class F>
void map_chunks(Scalar* y, Scalar* z, Index size, F const& f) {
  parallel_chunks(size, Index{16384}, [&](Index first, Index last) {
    map_here(y + first, z + first, last - first, [&](Index i) { return f(first + i); });
  });
}

/// Σ f(i) over [0, size) on this thread, in 64 lanes that are folded at the end: vectorizes without reassociation
/// flags, depends on nothing but the terms (not on the arrays' alignment), and its rounding error grows with size / 64.
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
