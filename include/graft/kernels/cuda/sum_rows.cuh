/// @file
/// @brief Sums down the rows of a matrix, in an order that depends on its sizes alone, not on the device.
#pragma once

#include <cstddef>
#include <type_traits>

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

/// sums[part][j] = Σ_i f(i, j) over the part's rows: 8 lanes sum every eighth, then lane 0 adds the lanes.
template <class Scalar, class F>
__global__ void sum_rows_kernel(Index rows, Index width, RowParts cut, F f, Scalar* sums) {
  __shared__ Scalar of_lanes[lanes][strip];
  unsigned const column = threadIdx.x, lane = threadIdx.y;
  for (Index k = blockIdx.x; k < cut.strips * cut.parts; k += gridDim.x) {
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

}  // namespace graft::kernels::cuda
