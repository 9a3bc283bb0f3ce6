/// @file
/// @brief Copies of a product's operands in the order in which register tiles read them.
#pragma once

#include <algorithm>
#include <vector>

#include <graft/kernels/cpu/register_tile.hpp>
#include <graft/kernels/matmul_operands.hpp>

namespace graft::kernels::cpu {

/// Multiplications and additions of a product.
constexpr double product_operations(Index m, Index n, Index k) {
  return 2 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
}
/// What a product reads and writes at least; op(B)'s numbers are of the type `Right`.
template <class Scalar, class Right = Scalar>
constexpr double product_bytes(Index m, Index n, Index k) {
  return static_cast<double>(sizeof(Scalar)) * static_cast<double>(m * k + m * n) +
         static_cast<double>(sizeof(Right)) * static_cast<double>(n * k);
}

/// One row of op(B) of a panel: `valid` elements, filled up with zeros to `width`.
template <class Scalar>
void pack_row(Scalar const* from, Index valid, Index width, Scalar* to) {
  if (valid == width) {
    for (Index c = 0; c < width; c += Tile<Scalar>::lanes) simd::store(to + c, simd::load(from + c));
  } else {
    std::fill(std::copy_n(from, valid, to), to + width, Scalar(0));
  }
}

/// op(B)'s rows [t, t + depth), columns [j, j + valid) of a B stored as [n, k], as rows of `width` filled up with
/// zeros: square blocks are transposed in registers.
template <class Scalar>
void pack_transposed(Product<Scalar> const& p, Index t, Index depth, Index j, Index valid, Index width, Scalar* to) {
  constexpr Index lanes = Tile<Scalar>::lanes;
  for (Index c = 0; c < width; c += lanes, to += lanes) {
    Scalar const* const from = p.b + (j + c) * p.ldb + t;
    Index u = 0;
    if (c + lanes <= valid)
      for (; u + lanes <= depth; u += lanes) {
        simd::Square<Scalar> block;
        for (Index r = 0; r < lanes; ++r) block.packet[r] = simd::load(from + r * p.ldb + u);
        simd::transpose(block);
        for (Index r = 0; r < lanes; ++r) simd::store(to + (u + r) * width, block.packet[r]);
      }
    for (; u < depth; ++u)
      for (Index r = 0; r < lanes; ++r) to[u * width + r] = c + r < valid ? from[r * p.ldb + u] : Scalar(0);
  }
}

/// The panels of op(B)'s rows [t, t + depth), columns [j, j + columns). `in_place`: whole panels of a B that is stored
/// as read stay where they are, since copying them would cost more than it saves.
template <class Scalar>
void pack_panels(Product<Scalar> const& p, Index t, Index depth, Index j, Index columns, bool in_place,
                 Buffer<Scalar>& buffer, std::vector<Panel<Scalar>>& panels) {
  constexpr Index lanes = Tile<Scalar>::lanes, wide = Tile<Scalar>::columns;
  buffer.resize(static_cast<std::size_t>(depth * (columns + wide)));
  panels.clear();
  Scalar* to = buffer.data();
  bool const plain = p.read_b == Read::plain;
  Scalar const* const rows = p.b + t * p.ldb + j;
  for (Index c = 0; c < columns; c += wide) {
    Index const valid = std::min(columns - c, wide), width = valid <= lanes ? lanes : wide;
    if (plain && in_place && valid == width) {
      panels.push_back({rows + c, p.ldb, width, valid});
      continue;
    }
    if (!plain) pack_transposed(p, t, depth, j + c, valid, width, to);
    panels.push_back({to, width, width, valid});
    to += depth * width;
  }
  if (!plain) return;
  for (Index u = 0; u < depth; ++u) {
    Scalar const* from = rows + u * p.ldb;
    to = buffer.data();
    for (auto const& panel : panels) {
      if (panel.data == to) {
        pack_row(from, panel.valid, panel.width, to + u * panel.width);
        to += depth * panel.width;
      }
      from += panel.valid;
    }
  }
}

/// op(A)'s rows [i, i + rows), columns [t, t + depth): where they stand, or, where A is stored as [k, m], copied to
/// `buffer`.
template <class Scalar>
Strip<Scalar> strip_of(Product<Scalar> const& p, Index i, Index rows, Index t, Index depth, Buffer<Scalar>& buffer) {
  constexpr Index high = Tile<Scalar>::height;
  if (p.read_a == Read::plain) return {p.a + i * p.lda + t, rows, p.lda, 1};
  buffer.resize(static_cast<std::size_t>(depth * high));
  Scalar const* from = p.a + t * p.lda + i;
  Scalar* to = buffer.data();
  if (rows == high) {
    for (Index u = 0; u < depth; ++u, from += p.lda, to += high)
      for (Index r = 0; r < high; ++r) to[r] = from[r];
  } else {
    for (Index u = 0; u < depth; ++u, from += p.lda, to += high)
      for (Index r = 0; r < rows; ++r) to[r] = from[r];
  }
  return {buffer.data(), rows, 1, high};
}

}  // namespace graft::kernels::cpu
