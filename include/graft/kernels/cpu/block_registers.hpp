/// @file
/// @brief Quantized blocks of 32 numbers, widened in registers: the numbers of `generic::Dequantize` to the last bit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include <graft/kernels/block_format.hpp>
#include <graft/kernels/cpu/simd.hpp>
#include <graft/kernels/generic/dequantize.hpp>

namespace graft::kernels::cpu {

/// A block whose numbers u + i, u + i + 1, … are a register, `at<i>(u)`, i below `step` and u a multiple of it. There
/// is one for each format where `exists` says so.
///
/// Its numbers are those of `generic::Dequantize` to the last bit, whether or not the compiler fuses. A scale, a half
/// (11 bits) times an integer of up to 8 bits, is exact in float32; so is its product with an integer of a block, of at
/// most 24 bits in any format. What rounds is the sum of that and a minimum alone, once, as in a fused operation. (A
/// zero of Q4_0 may have the other sign, which no sum of products keeps.)
template <BlockFormat format>
struct BlockRegisters {
  static constexpr bool exists = false;
};
#if defined(EIGEN_VECTORIZE_AVX2) && defined(__F16C__)
/// The halves that a block begins with, as floats. They go through memory, since that can fill a register: the units
/// that move numbers between lanes have enough to do.
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
  static constexpr Index step = 32;
  BlockScales scales;
  std::int8_t const* bytes;

  explicit EIGEN_ALWAYS_INLINE BlockRegisters(std::byte const* block)
      : scales(block), bytes(generic::load_bytes<std::int8_t>(block + 2)) {}
  template <Index i>
  [[nodiscard]] EIGEN_ALWAYS_INLINE simd::Register<float> at(Index u) const {
    return simd::pmul(simd::floats(simd::byte_integers(bytes + u + i)), simd::broadcast(scales[0]));
  }
};
/// d·q + m with integers of 4 bits in the halves of 16 bytes.
template <Index first>
struct NibbleRegisters {
  static constexpr bool exists = simd::has_integers;
  static constexpr Index step = 32;
  BlockScales scales;
  std::uint8_t const* bytes;

  explicit EIGEN_ALWAYS_INLINE NibbleRegisters(std::byte const* block)
      : scales(block), bytes(generic::load_bytes<std::uint8_t>(block + first)) {}
  template <Index i>
  [[nodiscard]] EIGEN_ALWAYS_INLINE simd::Register<float> at(Index) const {
    return simd::scaled_nibbles(simd::shifted<(i < 16 ? 0 : 4)>(simd::byte_integers(bytes + i % 16)), scales[0],
                                first == 2 ? -8 * scales[0] : scales[1]);
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

/// Of each byte the bits of `mask`, after a shift to the right, or to the left where `shift` is negative.
template <int shift, int mask>
[[nodiscard]] EIGEN_ALWAYS_INLINE __m256i bits_of_bytes(__m256i x) {
  __m256i const moved = shift > 0   ? _mm256_srli_epi16(x, shift > 0 ? shift : 0)
                        : shift < 0 ? _mm256_slli_epi16(x, shift < 0 ? -shift : 0)
                                    : x;
  return _mm256_and_si256(moved, _mm256_set1_epi8(mask));
}
[[nodiscard]] EIGEN_ALWAYS_INLINE __m256i load_32_bytes(std::byte const* from) {
  return _mm256_loadu_si256(reinterpret_cast<__m256i const*>(from));
}

/// The integers of a block as bytes, put there 32 at a time. They go through memory, which widens them on their way to
/// a register; the compiler would take registers apart instead.
template <Index count>
class UnpackedIntegers {
 public:
  /// Integers `first` to `first` + 31.
  EIGEN_ALWAYS_INLINE void put(Index first, __m256i integers) {
    _mm256_store_si256(reinterpret_cast<__m256i*>(bytes_ + first), integers);
  }
  /// After the last is put.
  EIGEN_ALWAYS_INLINE void finish() { __asm__("" : "+m"(bytes_)); }
  /// Integers i, i + 1, …
  [[nodiscard]] EIGEN_ALWAYS_INLINE simd::Register<float> at(Index i) const {
    return simd::floats(simd::byte_integers(bytes_ + i));
  }

 private:
  alignas(32) std::int8_t bytes_[std::size_t{count}];
};

/// Integers of 5 bits: four in the halves of 16 bytes, the fifth in the 32 bits before them, which are at `first`.
struct FiveBitIntegers : UnpackedIntegers<32> {
  /// @param above what a byte holds above its nibble where the fifth bit is set, and where it is not
  EIGEN_ALWAYS_INLINE FiveBitIntegers(std::byte const* first, char above, char else_above) {
    std::int32_t fifth = 0;
    std::memcpy(&fifth, first, 4);
    __m256i const spread = _mm256_shuffle_epi8(
        _mm256_set1_epi32(fifth), _mm256_setr_epi64x(0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303));
    __m256i const bit = _mm256_set1_epi64x(static_cast<long long>(0x8040201008040201U));
    __m256i const is_set = _mm256_cmpeq_epi8(_mm256_and_si256(spread, bit), bit);
    __m128i const bytes = _mm_loadu_si128(reinterpret_cast<__m128i const*>(first + 4));
    __m256i const nibbles =
        bits_of_bytes<0, 15>(_mm256_inserti128_si256(_mm256_castsi128_si256(bytes), _mm_srli_epi16(bytes, 4), 1));
    put(0, _mm256_or_si256(nibbles, _mm256_blendv_epi8(_mm256_set1_epi8(else_above), _mm256_set1_epi8(above), is_set)));
    finish();
  }
};
template <>
struct BlockRegisters<BlockFormat::q5_0> {
  static constexpr bool exists = simd::has_integers;
  static constexpr Index step = 32;
  BlockScales scales;
  FiveBitIntegers integers;  ///< q − 16: of a q below 16, the byte with all upper bits set

  explicit EIGEN_ALWAYS_INLINE BlockRegisters(std::byte const* block)
      : scales(block), integers(block + 2, 0, static_cast<char>(0xf0)) {}
  template <Index i>
  [[nodiscard]] EIGEN_ALWAYS_INLINE simd::Register<float> at(Index u) const {
    return simd::pmul(integers.at(u + i), simd::broadcast(scales[0]));
  }
};
template <>
struct BlockRegisters<BlockFormat::q5_1> {
  static constexpr bool exists = simd::has_integers;
  static constexpr Index step = 32;
  BlockScales scales;
  FiveBitIntegers integers;

  explicit EIGEN_ALWAYS_INLINE BlockRegisters(std::byte const* block) : scales(block), integers(block + 4, 16, 0) {}
  template <Index i>
  [[nodiscard]] EIGEN_ALWAYS_INLINE simd::Register<float> at(Index u) const {
    return simd::pmadd(integers.at(u + i), simd::broadcast(scales[0]), simd::broadcast(scales[1]));
  }
};
#endif

}  // namespace graft::kernels::cpu
