/// @file
/// @brief C = β·C + A·Wᵀ for few rows of A (decoding) and a W in quantized blocks: blocks are widened in registers,
/// each once for all rows of A.
#pragma once

#include <algorithm>
#include <vector>

#include <graft/core/thread_pool.hpp>
#include <graft/kernels/block_matrix.hpp>
#include <graft/kernels/cpu/few_rows.hpp>
#include <graft/kernels/cpu/k_quant_registers.hpp>
#include <graft/kernels/cpu/register_tile.hpp>
#include <graft/kernels/cpu/row_products.hpp>
#include <graft/kernels/generic/dequantize.hpp>

namespace graft::kernels::cpu {

/// Numbers i, i + 1, … of a block, as `generic::Dequantize` has them to the last bit. Where a minimum is added, scale
/// times integer has at most 22 bits (a half's 11, 6 of a group's scale, 5 of the integer), so that a float holds it: a
/// multiply-add rounds once, as an addition does.
template <Index i, BlockFormat format>
[[nodiscard]] EIGEN_ALWAYS_INLINE simd::Register<float> widened(BlockRegisters<format> const& block) {
  constexpr int group = static_cast<int>(i / BlockRegisters<format>::group);
  auto const quants = block.template quants<i>(), scale = simd::broadcast(block.scale(group));
  if constexpr (BlockRegisters<format>::has_minima)
    return simd::pmadd(quants, scale, simd::broadcast(block.minima()[group]));
  else
    return simd::pmul(quants, scale);
}

/// W's numbers at row `i`, columns [t, t + count), whole blocks.
template <BlockFormat format, class To>
void dequantize_part(BlockMatrix const& w, Index i, Index t, Index count, To* y) {
  std::byte const* from = w.row(i) + t / block_values(format) * block_bytes(format);
  if constexpr (std::is_same_v<To, float> && BlockRegisters<format>::exists) {
    constexpr Index values = block_values(format), lanes = simd::size<float>;
    for (Index b = 0; b < count; b += values, from += block_bytes(format)) {
      BlockRegisters<format> const block(from);
      unrolled<static_cast<int>(values / lanes)>([&](auto part) __attribute__((always_inline)) {
        simd::store(y + b + part * lanes, widened<part * lanes>(block));
      });
    }
  } else {
    generic::dequantize<format>(from, count, y);
  }
}

/// Most rows of A whose sums have room in registers; more share numbers that are widened to the cache.
inline constexpr Index rows_in_registers = simd::registers >= 32 ? 8 : 4;

/// C's column j, whose blocks are at `from`. Every dot product is summed as `dot_block` does. Blocks are read one after
/// another, as the processor expects it of memory.
template <BlockFormat format, Index rows>
void dot_quantized(std::byte const* from, Product<float> const& p, Index j) {
  using Register = simd::Register<float>;
  constexpr Index lanes = simd::size<float>, values = block_values(format);
  float const* a = p.a;
  constexpr int height = static_cast<int>(rows);
  Register sums[std::size_t{rows}];  // in registers, as all that indexes it is known to the compiler
  unrolled<height>([&](auto r) __attribute__((always_inline)) { sums[r] = simd::broadcast(0.F); });
  for (Index t = 0; t < p.k; t += values, a += values, from += block_bytes(format)) {
    prefetch(from + 1024, 1);
    BlockRegisters<format> const block(from);
    unrolled<static_cast<int>(values / lanes)>([&](auto part) __attribute__((always_inline)) {
      Register const right = widened<part * lanes>(block);
      unrolled<height>([&](auto r) __attribute__((always_inline)) {
        sums[r] = simd::pmadd(simd::load(a + r * p.lda + part * lanes), right, sums[r]);
      });
    });
  }
  unrolled<height>([&](auto r) __attribute__((always_inline)) {
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
/// C's columns [first, last), if there are so few rows and the format has `BlockRegisters`; else nothing, and false.
template <BlockFormat format, class Scalar>
bool dot_in_registers(BlockMatrix const& w, Product<Scalar> const& p, Index first, Index last) {
  if constexpr (std::is_same_v<Scalar, float> && BlockRegisters<format>::exists) {
    if (p.m > rows_in_registers) return false;
    Index const row_bytes = p.k / block_values(format) * block_bytes(format);
    std::byte const* from = w.row(first);
    for (Index j = first; j < last; ++j, from += row_bytes)
      dot_quantized_rows<format, rows_in_registers>(w.head_rows == 0 ? from : w.row(j), p, j);
    return true;
  } else {
    return false;
  }
}

/// C = β·C + A·Wᵀ. Where blocks are not widened in registers, stored rows are widened four at a time to the first-level
/// cache.
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
