/// @file
/// @brief Sums down the rows of a matrix, in an order that depends on its sizes alone, not on the device.
#pragma once

#include <cstddef>
#include <type_traits>
#include <vector>

#include <graft/kernels/cuda/pieces.cuh>
#include <graft/kernels/cuda/reduce.cuh>

namespace graft::kernels::cuda {

inline constexpr unsigned strip = 32, lanes = 8;

/// How sums down the rows are cut, by the sizes alone: into strips of columns and parts of rows, a block for each. 1024
/// blocks keep a GPU busy; a part has at least 64 rows.
struct RowParts {
  Index strips, rows_each, parts;
  RowParts(Index rows, Index width) : strips((width + strip - 1) / strip) {
    Index const wanted = strips < 1024 ? 1024 / strips : 1;
    rows_each = (rows + wanted - 1) / wanted;
    if (rows_each < 64) rows_each = 64;
    parts = rows > rows_each ? (rows + rows_each - 1) / rows_each : 1;
  }
};

/// sums[part][j] = Σ_i f(i, j) over the rows of a part and the columns of a strip, the block's `k`-th: 8 lanes sum
/// every eighth row, then lane 0 adds the lanes.
template <class Scalar, class F>
__device__ void sum_strip(Index rows, Index width, RowParts const& cut, Index k, F const& f, Scalar* sums) {
  __shared__ Scalar of_lanes[lanes][strip];
  unsigned const column = threadIdx.x, lane = threadIdx.y;
  Index const part = k / cut.strips, j = k % cut.strips * strip + column;
  Index const end = (part + 1) * cut.rows_each, last = end < rows ? end : rows;
  Scalar sum = 0;
  if (j < width)
    for (Index i = part * cut.rows_each + lane; i < last; i += lanes) sum += f(i, j);
  of_lanes[lane][column] = sum;
  __syncthreads();
  if (lane == 0 && j < width) {
    for (unsigned other = 1; other < lanes; ++other) sum += of_lanes[other][column];
    sums[part * width + j] = sum;
  }
  __syncthreads();  // before the next strip overwrites the lanes' sums
}
template <class Scalar, class F>
__global__ void sum_rows_kernel(Index rows, Index width, RowParts cut, F f, Scalar* sums) {
  for (Index k = blockIdx.x; k < cut.strips * cut.parts; k += gridDim.x) sum_strip(rows, width, cut, k, f, sums);
}
template <class Scalar>
struct PartSum {
  Scalar const* sums;
  Index width;
  __device__ Scalar operator()(Index part, Index j) const { return sums[part * width + j]; }
};
/// The parts one after the other, then their sums.
template <class Scalar, class F>
void sum_rows(char const* name, Index rows, Index width, F const& f, Scalar* y) {
  RowParts const cut(rows, width);
  auto const start = [&](Index from, RowParts const& how, auto const& term, Scalar* sums) {
    launch(name, &sum_rows_kernel<Scalar, std::remove_cvref_t<decltype(term)>>, blocks_for(how.strips * how.parts, 1),
           dim3(strip, lanes), from, width, how, term, sums);
  };
  if (cut.parts == 1) return start(rows, cut, f, y);
  Scratch const scratch(static_cast<std::size_t>(cut.parts * width) * sizeof(Scalar));
  auto* const sums = static_cast<Scalar*>(scratch.data());
  start(rows, cut, f, sums);
  RowParts once = cut;
  once.rows_each = cut.parts;
  once.parts = 1;
  start(cut.parts, once, PartSum<Scalar>{sums, width}, y);
}

/// One of several matrices, how it is cut, and room for the sums of its parts, [parts, width].
template <class Scalar, class F>
struct CutMatrix {
  RowsPiece<F> matrix;
  RowParts cut;
  Scalar* sums;
};
template <class Scalar, class F>
__global__ void sum_rows_of_kernel(Placed<CutMatrix<Scalar, F>> const* matrices, Index count, Index blocks) {
  for (Index k = blockIdx.x; k < blocks; k += gridDim.x) {
    auto const placed = piece_of(matrices, count, k);
    auto const& [matrix, cut, sums] = placed.piece;
    auto const term = [f = matrix.f](Index i, Index j) { return f.term(i, j); };
    sum_strip(matrix.rows, matrix.width, cut, k - placed.first_part, term, sums);
  }
}
/// Adds the parts one after the other.
template <class Scalar, class F>
struct PutColumn {
  F f;
  Scalar const* sums;
  Index parts, width;
  __device__ void operator()(Index j) const {
    Scalar sum = 0;
    for (Index part = 0; part < parts; ++part) sum += sums[part * width + j];
    f.put(j, sum);
  }
};
/// The parts of all matrices, then their sums.
template <class F>
void sum_rows_of(char const* name, std::vector<RowsPiece<F>> const& pieces) {
  using Scalar = std::remove_cvref_t<decltype(pieces[0].f.term(Index{}, Index{}))>;
  std::vector<CutMatrix<Scalar, F>> matrices;
  matrices.reserve(pieces.size());
  Index size = 0;
  for (auto const& piece : pieces)
    if (piece.width > 0) {
      matrices.push_back({piece, RowParts(piece.rows, piece.width), nullptr});
      size += matrices.back().cut.parts * piece.width;
    }
  if (matrices.empty()) return;
  Scratch const scratch(static_cast<std::size_t>(size) * sizeof(Scalar));
  auto* next = static_cast<Scalar*>(scratch.data());
  std::vector<Piece<PutColumn<Scalar, F>>> columns;
  columns.reserve(matrices.size());
  for (auto& [matrix, cut, sums] : matrices) {
    sums = next;
    next += cut.parts * matrix.width;
    columns.push_back({{matrix.f, sums, cut.parts, matrix.width}, matrix.width});
  }
  PlacedPieces const placed(matrices, [](auto const& matrix) { return matrix.cut.strips * matrix.cut.parts; });
  launch(name, &sum_rows_of_kernel<Scalar, F>, blocks_for(placed.parts(), 1), dim3(strip, lanes), placed.data(),
         placed.count(), placed.parts());
  each_of(name, columns);
}

}  // namespace graft::kernels::cuda
