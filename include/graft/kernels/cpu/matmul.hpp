/// @file
/// @brief Matrix products on the host with Eigen, one thread a tile. Tiles depend on the sizes alone.
#pragma once

#include <Eigen/Core>
#include <algorithm>

#include <graft/core/thread_pool.hpp>
#include <graft/kernels/cpu/few_rows.hpp>
#include <graft/kernels/matmul.hpp>

namespace graft::kernels {

namespace cpu {

template <class Scalar>
using Rowwise = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
template <class Scalar>
using ConstMap = Eigen::Map<Rowwise<Scalar> const, 0, Eigen::OuterStride<>>;
template <class Scalar>
using Map = Eigen::Map<Rowwise<Scalar>, 0, Eigen::OuterStride<>>;

template <class Scalar>
ConstMap<Scalar> map(Scalar const* data, Index rows, Index columns, Index stride) {
  return {data, rows, columns, Eigen::OuterStride<>(stride)};
}
template <class Scalar>
Map<Scalar> map(Scalar* data, Index rows, Index columns, Index stride) {
  return {data, rows, columns, Eigen::OuterStride<>(stride)};
}

/// C = β·C + A·B for expressions of matching shapes, on this thread.
template <class Scalar, class A, class B>
void multiply_tile(Map<Scalar> c, A const& a, B const& b, Scalar beta) {
  if (beta == Scalar(0)) {
    c.noalias() = a * b;
  } else {
    if (beta != Scalar(1)) c *= beta;
    c.noalias() += a * b;
  }
}

/// The tile of C at rows [i, i + rows) and columns [j, j + columns).
template <class Scalar>
void matmul_tile(Product<Scalar> const& p, Index i, Index rows, Index j, Index columns) {
  auto const c = map(p.c + i * p.ldc + j, rows, columns, p.ldc);
  auto const plain_a = [&] { return map(p.a + i * p.lda, rows, p.k, p.lda); };
  auto const turned_a = [&] { return map(p.a + i, p.k, rows, p.lda); };
  auto const plain_b = [&] { return map(p.b + j, p.k, columns, p.ldb); };
  auto const turned_b = [&] { return map(p.b + j * p.ldb, columns, p.k, p.ldb); };
  if (p.read_a == Read::plain && p.read_b == Read::plain) multiply_tile<Scalar>(c, plain_a(), plain_b(), p.beta);
  if (p.read_a == Read::plain && p.read_b == Read::transposed) multiply_tile<Scalar>(c, plain_a(), turned_b().transpose(), p.beta);
  if (p.read_a == Read::transposed && p.read_b == Read::plain) multiply_tile<Scalar>(c, turned_a().transpose(), plain_b(), p.beta);
  if (p.read_a == Read::transposed && p.read_b == Read::transposed)
    multiply_tile<Scalar>(c, turned_a().transpose(), turned_b().transpose(), p.beta);
}

/// How C is cut into tiles of about 256 × 288 (measured best on two AVX-512 cores among 64–512 a side): evenly, since a thin tile packs
/// the other operand for few rows, and into at least some eight, if they stay wide enough, so that threads share small products.
struct Tiling {
  Index rows, columns, down, across;

  Tiling(Index m, Index n) {
    auto const cut = [](Index size, Index parts) { return ((size + parts - 1) / parts + 15) / 16 * 16; };
    down = std::max<Index>(1, (m + 128) / 256);
    across = std::max<Index>(std::max<Index>(1, (n + 144) / 288), std::min<Index>((8 + down - 1) / down, n / (n < 288 ? 96 : 128)));
    rows = cut(m, down);
    columns = cut(n, across);
    down = (m + rows - 1) / rows;
    across = (n + columns - 1) / columns;
  }
};

template <class Scalar>
void eigen_matmul(Product<Scalar> const& p) {
  if (p.m == 0 || p.n == 0) return;
  if (p.m <= few_rows_limit && p.read_a == Read::plain && p.read_b == Read::transposed) return few_rows_transposed(p);
  if (p.m * p.n * p.k <= 32 * 32 * 32) return matmul_tile(p, 0, p.m, 0, p.n);
  Tiling const tiles(p.m, p.n);
  parallel_for(tiles.down * tiles.across, [&](Index tile) {
    Index const i = tile % tiles.down * tiles.rows, j = tile / tiles.down * tiles.columns;
    matmul_tile(p, i, std::min(tiles.rows, p.m - i), j, std::min(tiles.columns, p.n - j));
  });
}

}  // namespace cpu

template <class Scalar>
ProductTable<Scalar>& ProductTable<Scalar>::current() {
  static ProductTable table{&cpu::eigen_matmul<Scalar>};
  return table;
}

}  // namespace graft::kernels
