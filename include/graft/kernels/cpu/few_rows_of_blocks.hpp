/// @file
/// @brief C = β·C + A·Wᵀ for few rows of A (decoding) and a W in quantized blocks: blocks are widened in registers,
/// each once for all rows of A.
#pragma once

#include <algorithm>
#include <vector>

#include <graft/core/thread_pool.hpp>
#include <graft/kernels/block_matrix.hpp>
#include <graft/kernels/cpu/few_rows.hpp>
#include <graft/kernels/cpu/register_tile.hpp>
#include <graft/kernels/cpu/row_products.hpp>
#include <graft/kernels/generic/dequantize.hpp>

namespace graft::kernels::cpu {

/// W's numbers at row `i`, columns [t, t + count), whole blocks.
template <BlockFormat format, class To>
void dequantize_part(BlockMatrix const& w, Index i, Index t, Index count, To* y) {
  generic::dequantize<format>(w.row(i) + t / block_values(format) * block_bytes(format), count, y);
}

/// A register's numbers of a block, as `generic::Dequantize` has them to the last bit. There is one for each format
/// whose integers are bytes or halves of bytes.
template <BlockFormat format>
struct BlockRegisters {
  static constexpr bool exists = false;
};
#if defined(EIGEN_VECTORIZE_AVX2) && defined(__F16C__)
/// The halves that a block begins with, of which `count` are scales, in every lane of a register each. They go through
/// memory, since that can fill a register: the units that move numbers between lanes have enough to do.
class BlockScales {
 public:
  explicit EIGEN_ALWAYS_INLINE BlockScales(std::byte const* block) {
    _mm_store_ps(numbers_, _mm_cvtph_ps(_mm_loadl_epi64(reinterpret_cast<__m128i const*>(block))));
    __asm__("" : "+m"(numbers_));
  }
  [[nodiscard]] EIGEN_ALWAYS_INLINE float operator[](int i) const { return numbers_[i]; }

 private:
  alignas(16) float numbers_[4];
};

template <>
struct BlockRegisters<BlockFormat::q8_0> {
  static constexpr bool exists = simd::has_integers;
  BlockScales scales;
  std::int8_t const* bytes;

  explicit EIGEN_ALWAYS_INLINE BlockRegisters(std::byte const* block)
      : scales(block), bytes(generic::load_bytes<std::int8_t>(block + 2)) {}
  /// Numbers i, i + 1, … of the block.
  template <Index i>
  [[nodiscard]] EIGEN_ALWAYS_INLINE simd::Register<float> at() const {
    return simd::pmul(simd::floats(simd::byte_integers(bytes + i)), simd::broadcast(scales[0]));
  }
};
/// d·q + m with integers of 4 bits in the halves of 16 bytes.
template <Index first>
struct NibbleRegisters {
  static constexpr bool exists = simd::has_integers;
  BlockScales scales;
  float d, m;
  std::uint8_t const* bytes;

  explicit EIGEN_ALWAYS_INLINE NibbleRegisters(std::byte const* block)
      : scales(block),
        d(scales[0]),
        m(first == 2 ? -8 * scales[0] : scales[1]),
        bytes(generic::load_bytes<std::uint8_t>(block + first)) {}
  template <Index i>
  [[nodiscard]] EIGEN_ALWAYS_INLINE simd::Register<float> at() const {
    auto const q = simd::bits<(i < 16 ? 0 : 4)>(simd::byte_integers(bytes + i % 16));
    return simd::pmadd(simd::floats(q), simd::broadcast(d), simd::broadcast(m));
  }
};
template <>
struct BlockRegisters<BlockFormat::q4_0> : NibbleRegisters<2> {
  using NibbleRegisters::NibbleRegisters;
};
template <>
struct BlockRegisters<BlockFormat::q4_1> : NibbleRegisters<4> {
  using NibbleRegisters::NibbleRegisters;
};
#endif

/// Most rows of A for which blocks are widened in registers; more share the widening through the cache (measured on
/// AVX-512).
inline constexpr Index rows_in_registers = 4;

/// C's column j, whose blocks are at `from`. Every dot product is summed as `dot_block` does. Blocks are read one after
/// another, as the processor expects it of memory.
template <BlockFormat format, Index rows>
void dot_quantized(std::byte const* from, Product<float> const& p, Index j) {
  using Register = simd::Register<float>;
  constexpr Index lanes = simd::size<float>, values = block_values(format);
  float const* a = p.a;
  Register sums[std::size_t{rows}];
  for (auto& sum : sums) sum = simd::broadcast(0.F);
  for (Index t = 0; t < p.k; t += values, a += values, from += block_bytes(format)) {
    prefetch(from + 1024, 1);
    BlockRegisters<format> const block(from);
    unrolled<static_cast<int>(values / lanes)>([&](auto part) __attribute__((always_inline)) {
      Register const right = block.template at<part * lanes>();
      unrolled<static_cast<int>(rows)>([&](auto r) __attribute__((always_inline)) {
        sums[r] = simd::pmadd(simd::load(a + r * p.lda + part * lanes), right, sums[r]);
      });
    });
  }
  for (std::size_t r = 0; r < std::size_t{rows}; ++r) {
    float const dot = simd::predux(sums[r]);
    float& out = p.c[static_cast<Index>(r) * p.ldc + j];
    out = p.beta == 0.F ? dot : p.beta * out + dot;
  }
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
    Index const row_bytes = p.k / block_values(format) * block_bytes(format);
    std::byte const* from = w.row(first);
    for (Index j = first; j < last; ++j, from += row_bytes)
      dot_quantized_rows<format, rows_in_registers>(w.head_rows == 0 ? from : w.row(j), p, j);
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
