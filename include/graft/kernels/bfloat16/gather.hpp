/// @file
/// @brief Rows of bfloat16 copied from, and added to, chosen places.
#pragma once

#include <algorithm>

#include <graft/kernels/bfloat16/operands.hpp>
#include <graft/kernels/gather.hpp>

namespace graft::kernels {

template <>
struct Gather<Cpu, bfloat16> {
  static constexpr bool narrow = true;
  static void copy_rows(bfloat16 const* x, Index const* from, bfloat16* y, Index const* to, Index count, Index width) {
    parallel_chunks(count, rows_per_chunk(width), [=](Index first, Index last) {
      for (Index k = first; k < last; ++k) std::copy_n(x + (from ? from[k] : k) * width, width, y + (to ? to[k] : k) * width);
    });
  }
  static void copy_columns(Strided<bfloat16 const> x, Index const* from, Strided<bfloat16> y, Index const* to, Index count, Index width) {
    parallel_chunks(count, rows_per_chunk(width), [=](Index first, Index last) {
      for (Index k = first; k < last; ++k) std::copy_n(x.row(from ? from[k] : k), width, y.row(to ? to[k] : k));
    });
  }
  /// What several rows add to one target is added up in float32, and rounded once.
  static void add_rows(bfloat16 const* x, Index const* from, bfloat16* y, Index const* to, bool distinct, Index count, Index width) {
    bfloat16_operands::WidenedColumns<bfloat16> const sums({y, width}, rows_within(to, count), width);
    bfloat16_operands::Widened const added(x, rows_within(from, count) * width);
    Gather<Cpu, float>::add_rows(added, from, sums.columns().data, to, distinct, count, width);
    sums.store();
  }

 private:
  /// The first so many rows have all that are named.
  static Index rows_within(Index const* rows, Index count) {
    return rows && count > 0 ? *std::max_element(rows, rows + count) + 1 : count;
  }
};

}  // namespace graft::kernels
