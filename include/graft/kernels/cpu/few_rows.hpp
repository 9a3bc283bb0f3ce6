/// @file
/// @brief C = β·C + A·Bᵀ for few rows of A (decoding): blocks of 4 × 4 dot products in
/// registers, so that B is read once and nothing is packed.
#pragma once

#include <graft/core/thread_pool.hpp>
#include <graft/kernels/cpu/simd.hpp>
#include <graft/kernels/matmul_operands.hpp>

namespace graft::kernels::cpu {

/// Most rows of A for which this is faster than packing (measured at k of 576 to 1,536 on AVX-512).
inline constexpr Index few_rows_limit = 12;

/// The block of C at (i, j), `rows` × `columns` dot products along k.
template <Index rows, Index columns, class Scalar>
void dot_block(Product<Scalar> const& p, Index i, Index j) {
  using Register = simd::Register<Scalar>;
  constexpr Index lanes = simd::size<Scalar>;
  Scalar const* const a = p.a + i * p.lda;
  Scalar const* const b = p.b + j * p.ldb;
  constexpr auto height = static_cast<std::size_t>(rows), breadth = static_cast<std::size_t>(columns);
  Register sums[height][breadth];
  for (auto& row : sums)
    for (auto& sum : row) sum = simd::broadcast(Scalar(0));
  Index t = 0;
  for (; t + lanes <= p.k; t += lanes) {
    Register right[breadth];
    for (Index c = 0; c < columns; ++c) right[c] = simd::load(b + c * p.ldb + t);
    for (Index r = 0; r < rows; ++r) {
      Register const left = simd::load(a + r * p.lda + t);
      for (Index c = 0; c < columns; ++c) sums[r][c] = simd::pmadd(left, right[c], sums[r][c]);
    }
  }
  for (Index r = 0; r < rows; ++r)
    for (Index c = 0; c < columns; ++c) {
      Scalar dot = simd::predux(sums[r][c]);
      for (Index u = t; u < p.k; ++u) dot += a[r * p.lda + u] * b[c * p.ldb + u];
      Scalar& out = p.c[(i + r) * p.ldc + j + c];
      out = p.beta == Scalar(0) ? dot : p.beta * out + dot;
    }
}

/// All rows of `columns` columns of C from j on. A row's result does not depend on how many rows there are: every dot
/// product runs alike.
template <Index columns, class Scalar>
void dot_columns(Product<Scalar> const& p, Index j) {
  Index i = 0;
  for (; i + 4 <= p.m; i += 4) dot_block<4, columns>(p, i, j);
  if (p.m - i == 3) dot_block<3, columns>(p, i, j);
  if (p.m - i == 2) dot_block<2, columns>(p, i, j);
  if (p.m - i == 1) dot_block<1, columns>(p, i, j);
}

/// A is read as stored, B transposed.
template <class Scalar>
void few_rows_transposed(Product<Scalar> const& p) {
  Index const grain = (rows_per_chunk(p.k, 65536) + 3) / 4 * 4;
  parallel_chunks(p.n, grain, [&](Index first, Index last) {
    Index j = first;
    for (; j + 4 <= last; j += 4) dot_columns<4>(p, j);
    for (; j < last; ++j) dot_columns<1>(p, j);
  });
}

}  // namespace graft::kernels::cpu
