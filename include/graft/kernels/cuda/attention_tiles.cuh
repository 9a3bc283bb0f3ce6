/// @file
/// @brief Products of a tile of rows with others, as attention's kernels on a GPU need them: through shared memory, in
/// pieces, so that rows of any width fit.
#pragma once

#include <cstddef>

#include <graft/kernels/cuda/launch.cuh>
#include <graft/kernels/segment_lists.hpp>
#include <graft/kernels/strided.hpp>

namespace graft::kernels::cuda::attention {

// A block's 128 threads stand in 8 lines of 16. Its own rows, a tile of 32, stay; other rows come by, 64 at a time. A
// thread has four of its line's own rows, and with them four of the others, or several columns.
inline constexpr int own_rows = tile_size, other_rows = 64;
inline constexpr int line = 16, block = line * own_rows / 4;

/// Columns that both operands of a dot product are read by at a time.
template <class Sum>
inline constexpr int depth = sizeof(Sum) == 4 ? 32 : 16;
/// Columns of a block's sums. Rows that are wider are several blocks' work.
template <class Sum>
inline constexpr int block_columns = sizeof(Sum) == 4 ? 128 : 64;
/// Blocks that a multiprocessor should hold: with fewer, too little runs while others wait for memory.
template <class Sum>
inline constexpr int resident_blocks = sizeof(Sum) == 4 ? 3 : 2;
/// Other rows that `add_products` reads at a time.
inline constexpr int strip_rows = 16;

/// Neighbouring numbers that are read and written at once.
template <class Sum, std::size_t size>
struct alignas(size == 2 && sizeof(Sum) == 4 ? 8 : 16) Pack {
  Sum at[size];
};

/// A block's shared memory: less than 48 KiB. Lines that are not read in whole end in room that spreads them over the
/// memory's banks.
template <class Sum>
struct Tiles {
  Pack<Sum, 4> own[depth<Sum>][own_rows / 4 + 2];      ///< [column][row]
  Pack<Sum, 2> other[depth<Sum>][other_rows / 2 + 4];  ///< [column][row]
  Pack<Sum, 4> weights[other_rows][own_rows / 4 + 1];  ///< [other row][own row]
  Pack<Sum, 2> strip[strip_rows][block_columns<Sum> / 2];

  /// The block's weight of another row and an own one.
  [[nodiscard]] __device__ Sum weight(int other_row, int own_row) const {
    return weights[other_row][own_row / 4].at[own_row % 4];
  }
};

template <class Sum>
using Weights = Sum[4][4];  ///< a thread's part of [own row][other row]
template <class Sum>
using Sums = Sum[4][block_columns<Sum> / line];  ///< a thread's part of [own row][column]

/// The thread's i-th own row.
__device__ inline int own_row(int i) { return static_cast<int>(threadIdx.x) / line * 4 + i; }
/// The thread's n-th other row or column.
__device__ inline int across(int n) { return static_cast<int>(threadIdx.x) % line * 2 + n / 2 * 2 * line + n % 2; }

/// to[d][i] = rows[i][first + d], zero beyond `present` rows and `width` columns. Neighbouring threads take 4 columns
/// of 8 rows.
template <int count, class Sum, class Scalar, std::size_t size, std::size_t packs>
__device__ void load_transposed(Strided<Scalar const, Cuda> rows, int present, int first, int width,
                                Pack<Sum, size> (*to)[packs]) {
  constexpr int packed = size, columns = depth<Sum>;
  for (int e = static_cast<int>(threadIdx.x); e < count * columns; e += block) {
    int const d = e % 4 + e / 32 % (columns / 4) * 4, i = e / 4 % 8 + e / (8 * columns) * 8;
    bool const there = i < present && first + d < width;
    to[d][i / packed].at[i % packed] = there ? static_cast<Sum>(rows.row(i).raw()[first + d]) : Sum(0);
  }
}

/// dots[i][n] += own_i · other_n, for rows of `width` columns. All threads must call it.
template <class Sum, class Scalar>
__device__ void add_dots(Tiles<Sum>& tiles, Strided<Scalar const, Cuda> own, int own_count,
                         Strided<Scalar const, Cuda> other, int other_count, int width, Weights<Sum>& dots) {
  int const column = static_cast<int>(threadIdx.x) / line, lane = static_cast<int>(threadIdx.x) % line;
  for (int first = 0; first < width; first += depth<Sum>) {
    __syncthreads();  // before what others may still read is overwritten
    load_transposed<own_rows>(own, own_count, first, width, tiles.own);
    load_transposed<other_rows>(other, other_count, first, width, tiles.other);
    __syncthreads();
    if (own_row(0) >= own_count) continue;
    int const columns = width - first < depth<Sum> ? width - first : depth<Sum>;
    for (int d = 0; d < columns; ++d) {
      Pack<Sum, 4> const a = tiles.own[d][column];
      Pack<Sum, 2> const b[2] = {tiles.other[d][lane], tiles.other[d][lane + line]};
      for (int i = 0; i < 4; ++i)
        for (int n = 0; n < 4; ++n) dots[i][n] += a.at[i] * b[n / 2].at[n % 2];
    }
  }
}

/// Makes a thread's weights the block's. What reads them waits for all threads first, and what read the last ones must
/// have been waited for.
template <class Sum>
__device__ void share(Tiles<Sum>& tiles, Weights<Sum> const& weights) {
  for (int n = 0; n < 4; ++n)
    tiles.weights[across(n)][own_row(0) / 4] = {{weights[0][n], weights[1][n], weights[2][n], weights[3][n]}};
}

/// sums[i][c] += Σ_m weights[m][i] · other_m[c] for the block's weights, and `columns` columns of the other rows. All
/// threads must call it.
template <class Sum, class Scalar>
__device__ void add_products(Tiles<Sum>& tiles, int own_count, Strided<Scalar const, Cuda> other, int other_count,
                             int columns, Sums<Sum>& sums) {
  int const lane = static_cast<int>(threadIdx.x) % line;
  for (int first = 0; first < other_count; first += strip_rows) {
    int const count = other_count - first < strip_rows ? other_count - first : strip_rows;
    __syncthreads();
    for (int e = static_cast<int>(threadIdx.x); e < count * block_columns<Sum>; e += block) {
      int const m = e / block_columns<Sum>, c = e % block_columns<Sum>;
      tiles.strip[m][c / 2].at[c % 2] = c < columns ? static_cast<Sum>(other.row(first + m).raw()[c]) : Sum(0);
    }
    __syncthreads();
    if (own_row(0) >= own_count) continue;
    for (int m = 0; m < count; ++m) {
      Pack<Sum, 4> const w = tiles.weights[first + m][own_row(0) / 4];
      for (int c = 0; c < block_columns<Sum> / line / 2; ++c) {
        if (c * 2 * line >= columns) continue;  // alike for all threads
        Pack<Sum, 2> const v = tiles.strip[m][lane + c * line];
        for (int i = 0; i < 4; ++i)
          for (int n = 0; n < 2; ++n) sums[i][2 * c + n] += w.at[i] * v.at[n];
      }
    }
  }
}

/// The values of neighbouring threads, as many as `lanes`, joined in a fixed tree; every one of them gets the result.
/// All threads must call it.
template <int lanes, class Sum, class Join>
__device__ Sum join_lanes(Sum value, Join const& join) {
  for (int mask = lanes / 2; mask > 0; mask /= 2) value = join(value, __shfl_xor_sync(0xffffffffU, value, mask));
  return value;
}

}  // namespace graft::kernels::cuda::attention
