/// @file
/// @brief Loops over many arrays in one launch. A block of threads takes a part of one array.
#pragma once

#include <type_traits>
#include <vector>

#include <graft/kernels/cuda/reduce.cuh>
#include <graft/kernels/pieces.hpp>

namespace graft::kernels::cuda {

/// A piece, and the number of parts before it.
template <class P>
struct Placed {
  P piece;
  Index first_part;
};

/// The pieces of a launch in memory of the device, whose upload nothing waits for. `parts_of(piece)` says how many
/// parts a piece has.
template <class P>
class PlacedPieces {
  static_assert(std::is_trivially_copyable_v<P>);

 public:
  template <class PartsOf>
  PlacedPieces(std::vector<P> const& pieces, PartsOf const& parts_of)
      : count_(static_cast<Index>(pieces.size())), memory_(pieces.size() * sizeof(Placed<P>)) {
    std::vector<Placed<P>> placed;
    placed.reserve(pieces.size());
    for (auto const& piece : pieces) {
      placed.push_back({piece, parts_});
      parts_ += parts_of(piece);
    }
    Runtime<Cuda>::upload(memory_.data(), placed.data(), placed.size() * sizeof(Placed<P>));
  }
  [[nodiscard]] Placed<P> const* data() const { return static_cast<Placed<P> const*>(memory_.data()); }
  [[nodiscard]] Index count() const { return count_; }
  [[nodiscard]] Index parts() const { return parts_; }

 private:
  Index count_, parts_ = 0;
  Scratch memory_;
};

/// The piece that a part is of: the last one that begins at it or before it. Empty pieces have no part.
template <class P>
__device__ Placed<P> const& piece_of(Placed<P> const* pieces, Index count, Index part) {
  Index first = 0;
  for (Index end = count; end - first > 1;) {
    Index const middle = (first + end) / 2;
    (pieces[middle].first_part <= part ? first : end) = middle;
  }
  return pieces[first];
}

/// Elements that a block takes: each thread has 8.
inline constexpr Index part_size = 8 * block_threads;

template <class F>
Index parts_of_elements(Piece<F> const& piece) {
  return (piece.size + part_size - 1) / part_size;
}

/// Calls `f(i)` for this thread's elements of a part.
template <class F, class Each>
__device__ void each_in_part(Placed<Piece<F>> const& placed, Index part, Each const& f) {
  Index const begin = (part - placed.first_part) * part_size,
              end = begin + part_size < placed.piece.size ? begin + part_size : placed.piece.size;
  for (Index i = begin + threadIdx.x; i < end; i += block_threads) f(i);
}

template <class F>
__global__ void each_of_kernel(Placed<Piece<F>> const* pieces, Index count, Index parts) {
  for (Index part = blockIdx.x; part < parts; part += gridDim.x) {
    Placed<Piece<F>> const placed = piece_of(pieces, count, part);
    each_in_part(placed, part, [&](Index i) { placed.piece.f(i); });
  }
}
template <class F>
void each_of(char const* name, std::vector<Piece<F>> const& pieces) {
  if (pieces.empty()) return;
  PlacedPieces const placed(pieces, parts_of_elements<F>);
  if (placed.parts() > 0)
    launch(name, &each_of_kernel<F>, blocks_for(placed.parts(), 1), dim3(block_threads), placed.data(), placed.count(),
           placed.parts());
}

/// sums[part] = Σ of its elements.
template <class Sum, class F>
__global__ void part_sums_kernel(Placed<Piece<F>> const* pieces, Index count, Index parts, Sum* sums) {
  for (Index part = blockIdx.x; part < parts; part += gridDim.x) {
    Placed<Piece<F>> const placed = piece_of(pieces, count, part);
    Sum sum = 0;
    each_in_part(placed, part, [&](Index i) { sum += placed.piece.f(i); });
    sum = block_sum(sum);
    if (threadIdx.x == 0) sums[part] = sum;
    __syncthreads();  // before the next part's sum is formed where this one's was
  }
}
/// results[k] = Σ of the sums of piece k's parts.
template <class Sum, class F>
__global__ void piece_sums_kernel(Placed<Piece<F>> const* pieces, Index count, Index parts, Sum const* sums,
                                  Sum* results) {
  for (Index k = blockIdx.x; k < count; k += gridDim.x) {
    Index const end = k + 1 < count ? pieces[k + 1].first_part : parts;
    Sum sum = 0;
    for (Index part = pieces[k].first_part + threadIdx.x; part < end; part += block_threads) sum += sums[part];
    sum = block_sum(sum);
    if (threadIdx.x == 0) results[k] = sum;
    __syncthreads();
  }
}
template <class Sum, class F>
void sums(char const* name, std::vector<Piece<F>> const& pieces, Sum* results) {
  if (pieces.empty()) return;
  PlacedPieces const placed(pieces, parts_of_elements<F>);
  Scratch const memory(static_cast<std::size_t>(placed.parts()) * sizeof(Sum));
  auto* const of_parts = static_cast<Sum*>(memory.data());
  if (placed.parts() > 0)
    launch(name, &part_sums_kernel<Sum, F>, blocks_for(placed.parts(), 1), dim3(block_threads), placed.data(),
           placed.count(), placed.parts(), of_parts);
  launch(name, &piece_sums_kernel<Sum, F>, blocks_for(placed.count(), 1), dim3(block_threads), placed.data(),
         placed.count(), placed.parts(), static_cast<Sum const*>(of_parts), results);
}

}  // namespace graft::kernels::cuda
