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
      for (Index k = first; k < last; ++k)
        std::copy_n(x + (from ? from[k] : k) * width, width, y + (to ? to[k] : k) * width);
    });
  }
  static void copy_columns(Strided<bfloat16 const> x, Index const* from, Strided<bfloat16> y, Index const* to,
                           Index count, Index width) {
    parallel_chunks(count, rows_per_chunk(width), [=](Index first, Index last) {
      for (Index k = first; k < last; ++k) std::copy_n(x.row(from ? from[k] : k), width, y.row(to ? to[k] : k));
    });
  }
  static void add_rows(bfloat16 const* x, Index const* from, float* y, Index const* to, bool distinct, Index count,
                       Index width) {
    Index const rows = from && count > 0 ? *std::max_element(from, from + count) + 1
                                         : count;  // the first so many have all that are named
    Gather<Cpu, float>::add_rows(bfloat16_operands::Widened(x, rows * width), from, y, to, distinct, count, width);
  }
};

}  // namespace graft::kernels
