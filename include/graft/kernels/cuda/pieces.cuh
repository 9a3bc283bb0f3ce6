/// @file
/// @brief Loops over many arrays in one launch. A block of threads takes a part of one array.
#pragma once

#include <type_traits>
#include <vector>

#include <graft/kernels/cuda/reduce.cuh>
#include <graft/kernels/loops.hpp>

namespace graft::kernels::cuda {

/// Elements that a block takes: each thread has 8.
inline constexpr Index part_size = 8 * block_threads;

/// A piece, and the number of parts before it.
template <class F>
struct PlacedPiece {
  Piece<F> piece;
  Index first_part;
};

/// The pieces of a launch in memory of the device, whose upload nothing waits for.
template <class F>
class PlacedPieces {
  static_assert(std::is_trivially_copyable_v<F>);

 public:
  explicit PlacedPieces(std::vector<Piece<F>> const& pieces)
      : count_(static_cast<Index>(pieces.size())), memory_(pieces.size() * sizeof(PlacedPiece<F>)) {
    std::vector<PlacedPiece<F>> placed;
    placed.reserve(pieces.size());
    for (auto const& piece : pieces) {
      placed.push_back({piece, parts_});
      parts_ += (piece.size + part_size - 1) / part_size;
    }
    Runtime<Cuda>::upload(memory_.data(), placed.data(), placed.size() * sizeof(PlacedPiece<F>));
  }
  [[nodiscard]] PlacedPiece<F> const* data() const { return static_cast<PlacedPiece<F> const*>(memory_.data()); }
  [[nodiscard]] Index count() const { return count_; }
  [[nodiscard]] Index parts() const { return parts_; }

 private:
  Index count_, parts_ = 0;
  Scratch memory_;
};

/// The piece that a part is of: the last one that begins at it or before it. Empty pieces have no part.
template <class F>
__device__ PlacedPiece<F> const& piece_of(PlacedPiece<F> const* pieces, Index count, Index part) {
  Index first = 0;
  for (Index end = count; end - first > 1;) {
    Index const middle = (first + end) / 2;
    (pieces[middle].first_part <= part ? first : end) = middle;
  }
  return pieces[first];
}

/// Calls `f(i)` for this thread's elements of a part.
template <class F, class Each>
__device__ void each_in_part(PlacedPiece<F> const& placed, Index part, Each const& f) {
  Index const begin = (part - placed.first_part) * part_size,
              end = begin + part_size < placed.piece.size ? begin + part_size : placed.piece.size;
  for (Index i = begin + threadIdx.x; i < end; i += block_threads) f(i);
}

template <class F>
__global__ void each_of_kernel(PlacedPiece<F> const* pieces, Index count, Index parts) {
  for (Index part = blockIdx.x; part < parts; part += gridDim.x) {
    PlacedPiece<F> const placed = piece_of(pieces, count, part);
    each_in_part(placed, part, [&](Index i) { placed.piece.f(i); });
  }
}
template <class F>
void each_of(char const* name, std::vector<Piece<F>> const& pieces) {
  PlacedPieces<F> const placed(pieces);
  if (placed.parts() > 0)
    launch(name, &each_of_kernel<F>, blocks_for(placed.parts(), 1), dim3(block_threads), placed.data(), placed.count(),
           placed.parts());
}

/// sums[part] = Σ of its elements.
template <class F>
__global__ void part_totals_kernel(PlacedPiece<F> const* pieces, Index count, Index parts, double* sums) {
  for (Index part = blockIdx.x; part < parts; part += gridDim.x) {
    PlacedPiece<F> const placed = piece_of(pieces, count, part);
    double sum = 0;
    each_in_part(placed, part, [&](Index i) { sum += placed.piece.f(i); });
    sum = block_sum(sum);
    if (threadIdx.x == 0) sums[part] = sum;
    __syncthreads();  // before the next part's sum is formed where this one's was
  }
}
/// results[k] = Σ of the sums of piece k's parts.
template <class F>
__global__ void piece_totals_kernel(PlacedPiece<F> const* pieces, Index count, Index parts, double const* sums,
                                    double* results) {
  for (Index k = blockIdx.x; k < count; k += gridDim.x) {
    Index const end = k + 1 < count ? pieces[k + 1].first_part : parts;
    double sum = 0;
    for (Index part = pieces[k].first_part + threadIdx.x; part < end; part += block_threads) sum += sums[part];
    sum = block_sum(sum);
    if (threadIdx.x == 0) results[k] = sum;
    __syncthreads();
  }
}
template <class F>
void totals(char const* name, std::vector<Piece<F>> const& pieces, double* results) {
  if (pieces.empty()) return;
  PlacedPieces<F> const placed(pieces);
  Scratch const memory(static_cast<std::size_t>(placed.parts()) * sizeof(double));
  auto* const sums = static_cast<double*>(memory.data());
  if (placed.parts() > 0)
    launch(name, &part_totals_kernel<F>, blocks_for(placed.parts(), 1), dim3(block_threads), placed.data(),
           placed.count(), placed.parts(), sums);
  launch(name, &piece_totals_kernel<F>, blocks_for(placed.count(), 1), dim3(block_threads), placed.data(),
         placed.count(), placed.parts(), static_cast<double const*>(sums), results);
}

}  // namespace graft::kernels::cuda
