/// @file
/// @brief Quantized blocks in registers: their integers as floats, and what those are multiplied by. Here those of 32
/// numbers; k_quant_registers.hpp has those of 256.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include <graft/kernels/cpu/simd.hpp>
#include <graft/kernels/generic/dequantize.hpp>

namespace graft::kernels::cpu {

/// A block as a product reads it: number i is scale(g)·q_i + minima()[g], where g = i / group; the second term is
/// absent where there are no minima. Without AVX2 and F16C none exists. Where it does:
/// - `group`: how many numbers share a scale; `has_minima`: whether minima are not all 0
/// - `quants<i>()`: the integers i, i + 1, … of a register, as floats
/// - `scale(g)`, and where there are minima `minima()`, one for each group
///
/// It is made of the address of a block, which need not be aligned.
template <BlockFormat format>
struct BlockRegisters {
  static constexpr bool exists = false;
};

#if defined(EIGEN_VECTORIZE_AVX2) && defined(__F16C__)
/// A few floats that registers are filled with, one at a time. They go through memory, since that can fill a register:
/// the units that move numbers between lanes have enough to do.
template <int count>
class Factors {
 public:
  explicit EIGEN_ALWAYS_INLINE Factors(__m128 x) {
    static_assert(count == 4);
    _mm_store_ps(numbers_, x);
    __asm__("" : "+m"(numbers_));
  }
  explicit EIGEN_ALWAYS_INLINE Factors(__m256 x) {
    static_assert(count == 8);
    _mm256_store_ps(numbers_, x);
    __asm__("" : "+m"(numbers_));
  }
  EIGEN_ALWAYS_INLINE Factors(__m256 x, __m256 y) {
    static_assert(count == 16);
    _mm256_store_ps(numbers_, x);
    _mm256_store_ps(numbers_ + 8, y);
    __asm__("" : "+m"(numbers_));
  }
  [[nodiscard]] EIGEN_ALWAYS_INLINE float operator[](int i) const { return numbers_[i]; }
  [[nodiscard]] EIGEN_ALWAYS_INLINE float const* data() const { return numbers_; }

 private:
  alignas(32) float numbers_[std::size_t{count}];
};

/// The first four float16 numbers of a block. The first is its scale, and the second its minimum where it has one.
EIGEN_ALWAYS_INLINE __m128 first_halves(std::byte const* block) {
  return _mm_cvtph_ps(_mm_loadl_epi64(reinterpret_cast<__m128i const*>(block)));
}

/// What blocks of 32 have in common: a scale, and a minimum behind it where there is one.
template <bool with_minima>
struct ScaledBlock {
  static constexpr bool exists = simd::has_integers, has_minima = with_minima;
  static constexpr Index group = 32;
  Factors<4> halves;

  explicit EIGEN_ALWAYS_INLINE ScaledBlock(std::byte const* block) : halves(first_halves(block)) {}
  [[nodiscard]] EIGEN_ALWAYS_INLINE float scale(int) const { return halves[0]; }
  [[nodiscard]] EIGEN_ALWAYS_INLINE float const* minima() const { return halves.data() + 1; }
};

template <>
struct BlockRegisters<BlockFormat::q8_0> : ScaledBlock<false> {
  std::int8_t const* bytes;

  explicit EIGEN_ALWAYS_INLINE BlockRegisters(std::byte const* block)
      : ScaledBlock(block), bytes(generic::load_bytes<std::int8_t>(block + 2)) {}
  template <Index i>
  [[nodiscard]] EIGEN_ALWAYS_INLINE simd::Register<float> quants() const {
    return simd::floats(simd::byte_integers(bytes + i));
  }
};

/// Integers of 4 bits in 16 bytes from `first` on: the lower nibbles are numbers 0 … 15, the upper ones 16 … 31.
template <Index first, bool with_minima>
struct Nibbles : ScaledBlock<with_minima> {
  std::uint8_t const* bytes;

  explicit EIGEN_ALWAYS_INLINE Nibbles(std::byte const* block)
      : ScaledBlock<with_minima>(block), bytes(generic::load_bytes<std::uint8_t>(block + first)) {}
  template <Index i>
  [[nodiscard]] EIGEN_ALWAYS_INLINE simd::Integers nibbles() const {
    return simd::masked<(i < 16 ? 0 : 4), 15>(simd::byte_integers(bytes + i % 16));
  }
};
template <>
struct BlockRegisters<BlockFormat::q4_0> : Nibbles<2, false> {
  using Nibbles::Nibbles;
  template <Index i>
  [[nodiscard]] EIGEN_ALWAYS_INLINE simd::Register<float> quants() const {
    return simd::floats(simd::minus(nibbles<i>(), 8));
  }
};
template <>
struct BlockRegisters<BlockFormat::q4_1> : Nibbles<4, true> {
  using Nibbles::Nibbles;
  template <Index i>
  [[nodiscard]] EIGEN_ALWAYS_INLINE simd::Register<float> quants() const {
    return simd::floats(nibbles<i>());
  }
};

/// With a fifth bit: that of integer i is bit i of the four bytes before the nibbles.
template <Index first, bool with_minima>
struct FiveBits : Nibbles<first, with_minima> {
  std::uint32_t high = 0;

  explicit EIGEN_ALWAYS_INLINE FiveBits(std::byte const* block) : Nibbles<first, with_minima>(block) {
    std::memcpy(&high, block + first - 4, 4);
  }
  template <Index i>
  [[nodiscard]] EIGEN_ALWAYS_INLINE simd::Integers integers() const {
    return simd::bits_of(this->template nibbles<i>(), simd::set_bits<16>(high >> i));
  }
};
template <>
struct BlockRegisters<BlockFormat::q5_0> : FiveBits<6, false> {
  using FiveBits::FiveBits;
  template <Index i>
  [[nodiscard]] EIGEN_ALWAYS_INLINE simd::Register<float> quants() const {
    return simd::floats(simd::minus(integers<i>(), 16));
  }
};
template <>
struct BlockRegisters<BlockFormat::q5_1> : FiveBits<8, true> {
  using FiveBits::FiveBits;
  template <Index i>
  [[nodiscard]] EIGEN_ALWAYS_INLINE simd::Register<float> quants() const {
    return simd::floats(integers<i>());
  }
};
#endif

}  // namespace graft::kernels::cpu
