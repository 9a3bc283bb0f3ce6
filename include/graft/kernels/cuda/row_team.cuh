/// @file
/// @brief A row on a GPU: a block of threads, each with every 256th element, or one thread. Sums run in an order that
/// depends on the size alone.
#pragma once

#include <cmath>
#include <type_traits>
#include <vector>

#include <graft/kernels/cuda/launch.cuh>
#include <graft/kernels/cuda/pieces.cuh>
#include <graft/kernels/row_team.hpp>

namespace graft::kernels {

namespace cuda {

struct Larger {
  template <class Number>
  __device__ Number operator()(Number a, Number b) const {
    return a < b ? b : a;
  }
};
struct Plus {
  template <class Number>
  __device__ Number operator()(Number a, Number b) const {
    return a + b;
  }
};

/// The values of a block's threads, joined in a fixed tree; every thread gets the result. All threads must call it.
template <class Number, class Join>
__device__ Number block_join(Number value, Join const& join) {
  __shared__ Number values[block_threads];
  unsigned const thread = threadIdx.x;
  values[thread] = value;
  for (unsigned half = block_threads / 2; half > 0; half /= 2) {
    __syncthreads();
    if (thread < half) values[thread] = join(values[thread], values[thread + half]);
  }
  __syncthreads();
  Number const result = values[0];
  __syncthreads();  // before the next call writes
  return result;
}

/// Each thread has a column of the table for itself, so that no two add to the same number.
using BinTable = double[Bins::count][block_threads];

/// The block's one table, whatever is counted: shared memory has room for no other.
__device__ inline BinTable& bin_table() {
  __shared__ BinTable table;
  return table;
}

/// The sums of the table's rows, added in a fixed tree. All threads must call it, and get the result.
__device__ inline Bins joined_bins(BinTable& table) {
  unsigned const thread = threadIdx.x;
  for (unsigned half = block_threads / 2; half > 0; half /= 2) {
    __syncthreads();
    for (auto& row : table)
      if (thread < half) row[thread] += row[thread + half];
  }
  __syncthreads();
  Bins result;
  for (int bin = 0; bin < Bins::count; ++bin) result.sums[bin] = table[bin][0];
  __syncthreads();  // before the next call writes
  return result;
}

}  // namespace cuda

template <>
class RowTeam<Cuda> {
 public:
  template <class F>
  static void each_row(char const* name, Index rows, Index width, F const& f);
  template <class F>
  static void each_row_of(char const* name, std::vector<RowsPiece<F>> const& pieces);

  template <class F>
  __device__ auto max(Index size, F const& f) const {
    using Number = std::remove_cvref_t<decltype(f(Index{}))>;
    auto largest = static_cast<Number>(-HUGE_VAL);
    for (Index j = threadIdx.x; j < size; j += cuda::block_threads) {
      Number const value = f(j);
      largest = largest < value ? value : largest;
    }
    return cuda::block_join(largest, cuda::Larger{});
  }
  template <class F>
  __device__ auto sum(Index size, F const& f) const {
    std::remove_cvref_t<decltype(f(Index{}))> sum = 0;
    for (Index j = threadIdx.x; j < size; j += cuda::block_threads) sum += f(j);
    return cuda::block_join(sum, cuda::Plus{});
  }
  /// Memory is far away: a thread asks for several numbers before it looks at the first.
  template <class Bin, class Value>
  __device__ Bins bins(Index size, Bin const& bin, Value const& value) const {
    constexpr int several = 8;
    cuda::BinTable& table = cuda::bin_table();
    for (auto& row : table) row[threadIdx.x] = 0;
    for (Index first = threadIdx.x; first < size; first += several * cuda::block_threads) {
      auto const at = [=](int n) {
        Index const j = first + n * cuda::block_threads;
        return j < size ? j : size - 1;
      };
      int bins[several], any = -1;
      for (int n = 0; n < several; ++n) {
        int const own = bin(at(n));
        bins[n] = first + n * cuda::block_threads < size ? own : -1;
        any = any < bins[n] ? bins[n] : any;
      }
      if (any < 0) continue;
      double values[several];
      for (int n = 0; n < several; ++n) values[n] = value(at(n));
      for (int n = 0; n < several; ++n)
        if (bins[n] >= 0) table[bins[n]][threadIdx.x] += values[n];
    }
    return cuda::joined_bins(table);
  }
  template <class Scalar, class F>
  __device__ void map(Scalar* y, Index size, F const& f) const {
    for (Index j = threadIdx.x; j < size; j += cuda::block_threads) y[j] = f(j);
  }
};

namespace cuda {
template <class F>
__global__ void each_row_kernel(Index rows, F f) {
  for (Index i = blockIdx.x; i < rows; i += gridDim.x) f(i, RowTeam<Cuda>());
}

/// A team of one thread, for a row that would leave most of a block idle.
class LoneThread {
 public:
  template <class F>
  __device__ auto sum(Index size, F const& f) const {
    std::remove_cvref_t<decltype(f(Index{}))> sum = 0;
    for (Index j = 0; j < size; ++j) sum += f(j);
    return sum;
  }
  template <class Scalar, class F>
  __device__ void map(Scalar* y, Index size, F const& f) const {
    for (Index j = 0; j < size; ++j) y[j] = f(j);
  }
};
/// The longest row that one thread takes, as those of LoRA's second matrix.
inline constexpr Index narrow_row = 32;

/// A block takes a row, or as many narrow ones as it has threads.
template <class F>
__global__ void each_row_of_kernel(Placed<RowsPiece<F>> const* pieces, Index count, Index parts) {
  for (Index part = blockIdx.x; part < parts; part += gridDim.x) {
    Placed<RowsPiece<F>> const placed = piece_of(pieces, count, part);
    auto const& [f, rows, width] = placed.piece;
    Index const own = part - placed.first_part;
    if (width > narrow_row)
      f(own, RowTeam<Cuda>());
    else if (Index const i = own * block_threads + threadIdx.x; i < rows)
      f(i, LoneThread());
  }
}
}  // namespace cuda

template <class F>
void RowTeam<Cuda>::each_row(char const* name, Index rows, Index width, F const& f) {
  if (rows > 0 && width > 0)
    cuda::launch(name, &cuda::each_row_kernel<F>, cuda::blocks_for(rows, 1), dim3(cuda::block_threads), rows, f);
}
template <class F>
void RowTeam<Cuda>::each_row_of(char const* name, std::vector<RowsPiece<F>> const& pieces) {
  if (pieces.empty()) return;
  cuda::PlacedPieces const placed(pieces, [](RowsPiece<F> const& piece) {
    Index const each = piece.width > cuda::narrow_row ? 1 : cuda::block_threads;
    return piece.width > 0 ? (piece.rows + each - 1) / each : 0;
  });
  if (placed.parts() > 0)
    cuda::launch(name, &cuda::each_row_of_kernel<F>, cuda::blocks_for(placed.parts(), 1), dim3(cuda::block_threads),
                 placed.data(), placed.count(), placed.parts());
}

}  // namespace graft::kernels
