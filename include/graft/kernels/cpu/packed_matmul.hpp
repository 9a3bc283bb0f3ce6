/// @file
/// @brief The blocked matrix product on the host: B in packed panels as wide as a register tile, A read where it
/// stands. After Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication", ACM TOMS 34(3), 2008; A
/// needs no packing here, as one of its strips stays in the first-level cache while it passes a task's panels.
#pragma once

#include <algorithm>
#include <vector>

#include <graft/core/thread_pool.hpp>
#include <graft/kernels/cpu/packing.hpp>

namespace graft::kernels::cpu {

/// A part's size where `size` is cut into `parts`, in whole units.
constexpr Index share(Index size, Index parts, Index unit) {
  return ((size + parts - 1) / parts + unit - 1) / unit * unit;
}

/// How a product is cut, by its sizes alone: tasks of rows × columns of C, each going along k in blocks of `depth`.
template <class Scalar>
struct PackedBlocks {
  static constexpr Index tasks = 8;                    ///< wanted at least, so that threads share small products
  static constexpr Index narrowest = 48, widest = 96;  ///< columns of a task
  /// Elements of a panel; a strip of A as deep stays in the first-level cache, panels in the second.
  static constexpr Index panel = 49152 / static_cast<Index>(sizeof(Scalar));

  Index rows, columns, depth, down, across;

  PackedBlocks(Index m, Index n, Index k) {
    constexpr Index wide = Tile<Scalar>::columns, high = Tile<Scalar>::height;
    if (m * n * k <= 32 * 32 * 32) {
      columns = n;
      across = down = 1;
    } else {
      cut_columns(n, share(std::clamp(share(n, 12, wide), narrowest, widest), 1, wide));
      down = std::clamp<Index>(m / (8 * high), 1, (tasks + across - 1) / across);
    }
    rows = share(m, down, high);
    down = (m + rows - 1) / rows;
    Index const deepest = panel / (n <= Tile<Scalar>::lanes ? Tile<Scalar>::lanes : wide);
    depth = share(k, (k + deepest - 1) / deepest, 4);
  }
  /// Tasks of so many of C's n columns.
  void cut_columns(Index n, Index of_a_task) {
    columns = of_a_task;
    across = (n + columns - 1) / columns;
  }
};

/// The tile of C at (i, j) of `rows` × `columns`, on this thread. `pack(t, depth, j, columns, in_place, buffer,
/// panels)` gives op(B)'s panels.
template <class Scalar, class Pack>
void packed_task(Product<Scalar> const& p, Pack const& pack, Index i, Index rows, Index j, Index columns,
                 Index deepest) {
  thread_local Buffer<Scalar> packed, turned;
  thread_local std::vector<Panel<Scalar>> panels;
  constexpr Index high = Tile<Scalar>::height;
  Index const strips = (rows + high - 1) / high, even = (rows + strips - 1) / strips;
  for (Index t = 0; t < p.k; t += deepest) {
    Index const depth = std::min(deepest, p.k - t);
    pack(t, depth, j, columns, strips <= 3, packed, panels);
    Scalar const beta = t == 0 ? p.beta : Scalar(1);
    for (Index r = 0; r < rows; r += even) {
      Strip<Scalar> const a = strip_of(p, i + r, std::min(even, rows - r), t, depth, turned);
      Scalar* c = p.c + (i + r) * p.ldc + j;
      for (auto const& panel : panels) {
        multiply_strip<high>(depth, a, panel, beta, c, p.ldc);
        c += panel.valid;
      }
    }
  }
}

/// C = β·C + op(A)·op(B) in tasks on the pool, cut as told, op(B) packed as told; k > 0.
template <class Scalar, class Pack>
void packed_matmul(Product<Scalar> const& p, PackedBlocks<Scalar> const& cut, Pack const& pack) {
  parallel_for(cut.down * cut.across, [&](Index task) {
    Index const i = task % cut.down * cut.rows, j = task / cut.down * cut.columns;
    packed_task(p, pack, i, std::min(cut.rows, p.m - i), j, std::min(cut.columns, p.n - j), cut.depth);
  });
}

/// C = β·C + op(A)·op(B).
template <class Scalar>
void packed_matmul(Product<Scalar> const& p) {
  if (p.k == 0) {
    for (Index i = 0; i < p.m; ++i)
      for (Index j = 0; j < p.n; ++j)
        p.c[i * p.ldc + j] = p.beta == Scalar(0) ? Scalar(0) : p.beta * p.c[i * p.ldc + j];
    return;
  }
  auto const pack = [&](Index t, Index depth, Index j, Index columns, bool in_place, auto& buffer, auto& panels) {
    pack_panels(p, t, depth, j, columns, in_place, buffer, panels);
  };
  packed_matmul(p, PackedBlocks<Scalar>(p.m, p.n, p.k), pack);
}

}  // namespace graft::kernels::cpu
