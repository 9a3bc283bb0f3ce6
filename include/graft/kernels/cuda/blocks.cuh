/// @file
/// @brief Quantized blocks on a GPU: a thread widens a block; products are cuBLAS's, of a panel of widened rows at a
/// time.
#pragma once

#include <graft/kernels/blocks.hpp>
#include <graft/kernels/cuda/loops.cuh>
#include <graft/kernels/cuda/matmul.cuh>
#include <graft/kernels/generic/dequantize.hpp>

namespace graft::kernels {

namespace cuda::blocks {

/// Rows that are widened at a time.
inline constexpr Index panel_rows = 4096;

/// Widens block j of row i, or of row `ids[i]`. Element k of row i goes to y[i · row_step + k · element_step].
template <class Scalar>
struct WidenBlock {
  BlockFormat format;
  std::byte const* data;  ///< of row 0
  Index row_bytes;
  Token const* ids;  ///< null: rows in order
  Scalar* y;
  Index row_step, element_step;
  Index blocks;  ///< of a row

  __device__ void operator()(Index at) const {
    Index const i = at / blocks, j = at % blocks;
    std::byte const* const block = data + (ids ? ids[i] : i) * row_bytes + j * block_bytes(format);
    Scalar* const to = y + i * row_step + j * block_values(format) * element_step;
    generic::with_format(format, [&](auto tag) {
      constexpr BlockFormat known = decltype(tag)::value;
      if (element_step == 1) return generic::Dequantize<known>::block(block, to);
      float values[static_cast<std::size_t>(block_values(known))];
      generic::Dequantize<known>::block(block, values);
      for (Index k = 0; k < block_values(known); ++k) to[k * element_step] = static_cast<Scalar>(values[k]);
    });
  }
};

/// `count` rows of W from row `first` on, or those with the ids, row by row or turned.
template <class Scalar>
void widen(BlockMatrixOn<Cuda> const& w, Index first, Token const* ids, Index count, Scalar* y, bool turned = false) {
  Index const blocks = w.columns / block_values(w.format);
  each("widen_blocks", count * blocks,
       WidenBlock<Scalar>{w.format, w.row(first).raw(), w.row_bytes(), ids, y, turned ? 1 : w.columns,
                          turned ? w.rows : 1, blocks});
}

/// Calls `f(first, count, panel)` with widened rows, a panel at a time.
template <class Scalar, class F>
void each_panel(BlockMatrixOn<Cuda> const& w, F const& f) {
  Index const size = w.rows < panel_rows ? w.rows : panel_rows;
  Scratch const memory(static_cast<std::size_t>(size * w.columns) * sizeof(Scalar));
  auto* const panel = static_cast<Scalar*>(memory.data());
  for (Index first = 0; first < w.rows; first += size) {
    Index const count = first + size < w.rows ? size : w.rows - first;
    widen(w, first, nullptr, count, panel);
    f(first, count, DevicePointer<Scalar const>(panel));
  }
}

}  // namespace cuda::blocks

template <class Scalar>
void Blocks<Cuda, Scalar>::widen_rows(Matrix const& w, Index first, Index last, Out y) {
  cuda::blocks::widen(w, first, nullptr, last - first, y.raw());
}
template <class Scalar>
void Blocks<Cuda, Scalar>::pick_rows(Matrix const& w, DevicePointer<Token const> ids, Index count, Out y) {
  cuda::blocks::widen(w, 0, ids.raw(), count, y.raw());
}
template <class Scalar>
void Blocks<Cuda, Scalar>::widen_turned(Matrix const& w, Out y) {
  cuda::blocks::widen(w, 0, nullptr, w.rows, y.raw(), true);
}
template <class Scalar>
void Blocks<Cuda, Scalar>::times_transposed(Matrix const& w, In x, Index rows, Out y, SumOf<Scalar> beta) {
  cuda::blocks::each_panel<Scalar>(w, [&](Index first, Index count, In panel) {
    Matmul<Cuda, Scalar>::matmul({rows, count, w.columns, x, w.columns, Read::plain, panel, w.columns, Read::transposed,
                                  beta, y + first, w.rows});
  });
}
template <class Scalar>
void Blocks<Cuda, Scalar>::times(Matrix const& w, In g, Index rows, Out y, SumOf<Scalar> beta) {
  if (w.rows == 0)  // β·y is left
    return Matmul<Cuda, Scalar>::matmul(
        {rows, w.columns, 0, g, 0, Read::plain, In(), w.columns, Read::plain, beta, y, w.columns});
  cuda::blocks::each_panel<Scalar>(w, [&](Index first, Index count, In panel) {
    Matmul<Cuda, Scalar>::matmul({rows, w.columns, count, g + first, w.rows, Read::plain, panel, w.columns, Read::plain,
                                  first == 0 ? beta : SumOf<Scalar>(1), y, w.columns});
  });
}

}  // namespace graft::kernels
