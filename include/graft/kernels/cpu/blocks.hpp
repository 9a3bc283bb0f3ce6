/// @file
/// @brief Products with quantized blocks on the host: few rows of x meet a few stored rows at a time, more rows the
/// packed product, whose panels are widened straight from the blocks.
#pragma once

#include <algorithm>
#include <vector>

#include <graft/core/profile.hpp>
#include <graft/core/thread_pool.hpp>
#include <graft/kernels/blocks.hpp>
#include <graft/kernels/cpu/few_rows_of_blocks.hpp>
#include <graft/kernels/cpu/packed_matmul.hpp>

namespace graft::kernels {

namespace cpu {

/// The panels of Wᵀ's rows [t, t + depth), columns [j, j + columns): stored rows are widened a panel at a time, then
/// transposed.
template <BlockFormat format, class Scalar>
void pack_blocks_transposed(BlockMatrix const& w, Index t, Index depth, Index j, Index columns, Buffer<Scalar>& buffer,
                            std::vector<Panel<Scalar>>& panels) {
  thread_local Buffer<Scalar> scratch;
  constexpr Index lanes = Tile<Scalar>::lanes, wide = Tile<Scalar>::columns;
  buffer.resize(static_cast<std::size_t>(depth * (columns + wide)));
  scratch.resize(static_cast<std::size_t>(depth * wide));
  panels.clear();
  Scalar* to = buffer.data();
  for (Index c = 0; c < columns; c += wide) {
    Index const valid = std::min(columns - c, wide), width = valid <= lanes ? lanes : wide;
    for (Index r = 0; r < valid; ++r) dequantize_part<format>(w, j + c + r, t, depth, scratch.data() + r * depth);
    Product<Scalar> const stored{0, valid,   depth, nullptr, 0, Read::plain, scratch.data(), depth, Read::transposed,
                                 0, nullptr, 0};
    pack_transposed(stored, 0, depth, 0, valid, width, to);
    panels.push_back({to, width, width, valid});
    to += depth * width;
  }
}

/// The panels of W's rows [t, t + depth), columns [j, j + columns), whole blocks.
template <BlockFormat format, class Scalar>
void pack_blocks(BlockMatrix const& w, Index t, Index depth, Index j, Index columns, Buffer<Scalar>& buffer,
                 std::vector<Panel<Scalar>>& panels) {
  thread_local Buffer<Scalar> line;
  constexpr Index lanes = Tile<Scalar>::lanes, wide = Tile<Scalar>::columns;
  buffer.resize(static_cast<std::size_t>(depth * (columns + wide)));
  line.resize(static_cast<std::size_t>(columns));
  panels.clear();
  Scalar* to = buffer.data();
  for (Index c = 0; c < columns; c += wide) {
    Index const valid = std::min(columns - c, wide), width = valid <= lanes ? lanes : wide;
    panels.push_back({to, width, width, valid});
    to += depth * width;
  }
  for (Index u = 0; u < depth; ++u) {
    dequantize_part<format>(w, t + u, j, columns, line.data());
    Scalar const* from = line.data();
    Index start = 0;
    for (auto const& panel : panels) {
      pack_row(from, panel.valid, panel.width, buffer.data() + start + u * panel.width);
      from += panel.valid;
      start += depth * panel.width;
    }
  }
}

/// How a product with blocks is cut: as any other, at the blocks' bounds. Of AVX-512's wide panels, which are widened
/// one at a time, a task has one, which stays in the nearest caches while all strips pass it.
template <class Scalar>
PackedBlocks<Scalar> cut_at_blocks(Product<Scalar> const& p, Index values) {
  PackedBlocks<Scalar> cut(p.m, p.n, p.k);
  auto const whole = [&](Index size) { return (size + values - 1) / values * values; };
  if (p.read_b == Read::transposed) {
    cut.depth = whole(cut.depth);
    if (simd::size<Scalar> * Index{sizeof(Scalar)} == 64) cut.cut_columns(p.n, Tile<Scalar>::columns);
  } else {
    cut.cut_columns(p.n, whole(cut.columns));
  }
  return cut;
}

template <class Scalar>
void multiply_blocks(BlockMatrix const& w, Product<Scalar> const& p) {
  if (p.m == 0 || p.n == 0) return;
  if (p.k == 0) return packed_matmul(p);
  bool const turned = p.read_b == Read::transposed;
  KernelTimer const timer(turned ? "product with blocks" : "product with blocks, reverse",
                          product_operations(p.m, p.n, p.k),
                          static_cast<double>(sizeof(Scalar)) * static_cast<double>(p.m * p.k + p.m * p.n) +
                              static_cast<double>(w.rows * w.row_bytes()));
  generic::with_format(w.format, [&](auto tag) {
    constexpr BlockFormat format = decltype(tag)::value;
    if (turned && p.m <= few_rows_limit) return few_rows_of_blocks<format>(w, p);
    auto const pack = [&](Index t, Index depth, Index j, Index columns, bool, auto& buffer, auto& panels) {
      turned ? pack_blocks_transposed<format>(w, t, depth, j, columns, buffer, panels)
             : pack_blocks<format>(w, t, depth, j, columns, buffer, panels);
    };
    packed_matmul(p, cut_at_blocks(p, block_values(format)), pack);
  });
}

}  // namespace cpu

template <class Scalar>
void Blocks<Cpu, Scalar>::widen_rows(BlockMatrix const& w, Index first, Index last, Scalar* y) {
  KernelTimer const timer("blocks widened");
  generic::with_format(w.format, [&](auto tag) {
    parallel_chunks(last - first, rows_per_chunk(w.columns), [&](Index from, Index to) {
      for (Index i = from; i < to; ++i)
        generic::dequantize<decltype(tag)::value>(w.row(first + i), w.columns, y + i * w.columns);
    });
  });
}

template <class Scalar>
void Blocks<Cpu, Scalar>::pick_rows(BlockMatrix const& w, Token const* ids, Index count, Scalar* y) {
  KernelTimer const timer("rows of blocks");
  generic::with_format(w.format, [&](auto tag) {
    parallel_chunks(count, rows_per_chunk(w.columns), [&](Index from, Index to) {
      for (Index k = from; k < to; ++k)
        generic::dequantize<decltype(tag)::value>(w.row(ids[k]), w.columns, y + k * w.columns);
    });
  });
}

/// In groups of rows of W that fit the cache.
template <class Scalar>
void Blocks<Cpu, Scalar>::widen_turned(BlockMatrix const& w, Scalar* y) {
  generic::with_format(w.format, [&](auto tag) {
    parallel_chunks(w.rows, 16, [&](Index first, Index last) {
      std::vector<Scalar> rows(static_cast<std::size_t>((last - first) * w.columns));
      for (Index i = first; i < last; ++i)
        generic::dequantize<decltype(tag)::value>(w.row(i), w.columns, rows.data() + (i - first) * w.columns);
      for (Index k = 0; k < w.columns; ++k)
        for (Index i = first; i < last; ++i)
          y[k * w.rows + i] = rows[static_cast<std::size_t>((i - first) * w.columns + k)];
    });
  });
}

template <class Scalar>
void Blocks<Cpu, Scalar>::times_transposed(BlockMatrix const& w, Scalar const* x, Index rows, Scalar* y, Scalar beta) {
  cpu::multiply_blocks<Scalar>(
      w, {rows, w.rows, w.columns, x, w.columns, Read::plain, nullptr, 0, Read::transposed, beta, y, w.rows});
}

template <class Scalar>
void Blocks<Cpu, Scalar>::times(BlockMatrix const& w, Scalar const* g, Index rows, Scalar* y, Scalar beta) {
  cpu::multiply_blocks<Scalar>(
      w, {rows, w.columns, w.rows, g, w.rows, Read::plain, nullptr, 0, Read::plain, beta, y, w.columns});
}

}  // namespace graft::kernels
