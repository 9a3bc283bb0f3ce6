/// @file
/// @brief C = β·C + A·Wᵀ for few rows of A (decoding) and a W in quantized blocks: blocks are widened in registers,
/// each once for all rows of A.
#pragma once

#include <algorithm>
#include <vector>

#include <graft/core/thread_pool.hpp>
#include <graft/kernels/block_matrix.hpp>
#include <graft/kernels/cpu/block_registers.hpp>
#include <graft/kernels/cpu/few_rows.hpp>
#include <graft/kernels/cpu/k_quant_registers.hpp>
#include <graft/kernels/cpu/register_tile.hpp>
#include <graft/kernels/cpu/row_products.hpp>
#include <graft/kernels/generic/dequantize.hpp>

namespace graft::kernels::cpu {

/// W's numbers at row `i`, columns [t, t + count), whole blocks; through registers where there are any for the format.
template <BlockFormat format, class To>
void dequantize_part(BlockMatrix const& w, Index i, Index t, Index count, To* y) {
  std::byte const* from = w.row(i) + t / block_values(format) * block_bytes(format);
  using Block = BlockRegisters<format>;
  if constexpr (std::is_same_v<To, float> && Block::exists) {
    constexpr Index lanes = simd::size<float>;
    for (float* const end = y + count; y < end; from += block_bytes(format)) {
      Block const block(from);
      for (Index u = 0; u < block_values(format); u += Block::step, y += Block::step)
        unrolled<static_cast<int>(Block::step / lanes)>([&](auto part) __attribute__((always_inline)) {
          simd::store(y + part * lanes, block.template at<part * lanes>(u));
        });
    }
  } else {
    generic::dequantize<format>(from, count, y);
  }
}

/// Most rows of A for which blocks are widened in registers; more share the widening through the cache. Measured on
/// AVX-512: with 5 or 6 rows registers were up to 1.5 times as fast, with 8 the cache was, in most formats.
inline constexpr Index rows_in_registers = 6;

/// C's column j, whose blocks are at `from`. Every dot product is summed as `dot_block` does. Blocks are read one after
/// another, as the processor expects it of memory. All sums have constant indices: else they would not stay in
/// registers.
template <BlockFormat format, Index rows>
void dot_quantized(std::byte const* from, Product<float> const& p, Index j) {
  using Register = simd::Register<float>;
  using Block = BlockRegisters<format>;
  constexpr Index lanes = simd::size<float>;
  float const* a = p.a;
  Register sums[std::size_t{rows}];
  unrolled<static_cast<int>(rows)>([&](auto r) __attribute__((always_inline)) { sums[r] = simd::broadcast(0.F); });
  for (float const* const end = a + p.k; a < end; from += block_bytes(format)) {
    prefetch(from + 1024, block_bytes(format));
    Block const block(from);
    for (Index u = 0; u < block_values(format); u += Block::step, a += Block::step)
      unrolled<static_cast<int>(Block::step / lanes)>([&](auto part) __attribute__((always_inline)) {
        Register const right = block.template at<part * lanes>(u);
        unrolled<static_cast<int>(rows)>([&](auto r) __attribute__((always_inline)) {
          sums[r] = simd::pmadd(simd::load(a + r * p.lda + part * lanes), right, sums[r]);
        });
      });
  }
  unrolled<static_cast<int>(rows)>([&](auto r) __attribute__((always_inline)) {
    float const dot = simd::predux(sums[r]);
    float& out = p.c[r * p.ldc + j];
    out = p.beta == 0.F ? dot : p.beta * out + dot;
  });
}
/// The same of a number of rows known at run time, at most `most`.
template <BlockFormat format, Index most>
void dot_quantized_rows(std::byte const* from, Product<float> const& p, Index j) {
  if (p.m == most) return dot_quantized<format, most>(from, p, j);
  if constexpr (most > 1) dot_quantized_rows<format, most - 1>(from, p, j);
}
/// C's columns [first, last), where there are few rows and such registers; else nothing, and false.
template <BlockFormat format, class Scalar>
bool dot_in_registers(BlockMatrix const& w, Product<Scalar> const& p, Index first, Index last) {
  if constexpr (std::is_same_v<Scalar, float> && BlockRegisters<format>::exists) {
    if (p.m > rows_in_registers) return false;
    for (Index j = first; j < last; ++j) dot_quantized_rows<format, rows_in_registers>(w.row(j), p, j);
    return true;
  } else {
    return false;
  }
}

/// Stored rows are widened in registers, or, of more rows of A or another format or scalar, four at a time to the
/// first-level cache.
template <BlockFormat format, class Scalar>
void few_rows_of_blocks(BlockMatrix const& w, Product<Scalar> const& p) {
  Index const grain = (rows_per_chunk(p.k, 65536) + 3) / 4 * 4;
  parallel_chunks(p.n, grain, [&](Index first, Index last) {
    if (dot_in_registers<format>(w, p, first, last)) return;
    thread_local Buffer<Scalar> rows;
    rows.resize(static_cast<std::size_t>(4 * p.k));
    for (Index j = first; j < last; j += 4) {
      Index const count = std::min<Index>(4, last - j);
      for (Index r = 0; r < count; ++r) dequantize_part<format>(w, j + r, 0, p.k, rows.data() + r * p.k);
      Product<Scalar> part = p;
      part.b = rows.data();
      part.ldb = p.k;
      part.c = p.c + j;
      if (count == 4)
        dot_columns<4>(part, 0);
      else
        for (Index r = 0; r < count; ++r) dot_columns<1>(part, r);
    }
  });
}

}  // namespace graft::kernels::cpu
