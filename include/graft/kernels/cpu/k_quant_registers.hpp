/// @file
/// @brief k-quants, blocks of 256 numbers in groups of 16 or 32, in registers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include <graft/kernels/cpu/block_registers.hpp>

namespace graft::kernels::cpu {

#if defined(EIGEN_VECTORIZE_AVX2) && defined(__F16C__)
/// 8 bytes as floats.
EIGEN_ALWAYS_INLINE __m256 byte_floats(std::uint64_t bytes) {
  return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_cvtsi64_si128(static_cast<long long>(bytes))));
}
/// The first 8 of these bytes, which are signed, as floats.
EIGEN_ALWAYS_INLINE __m256 signed_byte_floats(__m128i bytes) { return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes)); }
/// Eight bytes as one word, the first the lowest.
EIGEN_ALWAYS_INLINE std::uint64_t eight_bytes(std::byte const* from) {
  std::uint64_t word = 0;
  std::memcpy(&word, from, 8);
  return word;
}
/// Of each byte of x the bits of `mask`.
EIGEN_ALWAYS_INLINE constexpr std::uint64_t every_byte(std::uint64_t x, std::uint64_t mask) {
  return x & mask * 0x0101010101010101U;
}
EIGEN_ALWAYS_INLINE __m256 times(float factor, __m256 x) { return _mm256_mul_ps(_mm256_set1_ps(factor), x); }

/// What blocks of 256 have in common: a scale for each group.
template <Index size, bool with_minima>
struct KQuant {
  static constexpr bool exists = simd::has_integers, has_minima = with_minima;
  static constexpr Index group = size;
  static constexpr int groups = static_cast<int>(256 / size);
  Factors<groups> scales;

  [[nodiscard]] EIGEN_ALWAYS_INLINE float scale(int g) const { return scales[g]; }
};

/// d·s_j·q − d'·m_j; 16 groups with scale and minimum in the nibbles of a byte; integers of 2 bits.
template <>
struct BlockRegisters<BlockFormat::q2_k> : KQuant<16, true> {
  Factors<16> least;
  std::uint8_t const* bytes;

  explicit EIGEN_ALWAYS_INLINE BlockRegisters(std::byte const* block)
      : BlockRegisters(block, generic::load_half(block + 80), generic::load_half(block + 82)) {}
  template <Index i>
  [[nodiscard]] EIGEN_ALWAYS_INLINE simd::Register<float> quants() const {
    return simd::floats(simd::masked<i % 128 / 32 * 2, 3>(simd::byte_integers(bytes + i / 128 * 32 + i % 32)));
  }
  [[nodiscard]] EIGEN_ALWAYS_INLINE float const* minima() const { return least.data(); }

 private:
  EIGEN_ALWAYS_INLINE BlockRegisters(std::byte const* block, float d, float minimum)
      : KQuant{Factors<16>(times(d, byte_floats(every_byte(eight_bytes(block), 15))),
                           times(d, byte_floats(every_byte(eight_bytes(block + 8), 15))))},
        least(times(-minimum, byte_floats(every_byte(eight_bytes(block) >> 4, 15))),
              times(-minimum, byte_floats(every_byte(eight_bytes(block + 8) >> 4, 15)))),
        bytes(generic::load_bytes<std::uint8_t>(block + 16)) {}
};

/// d·(s_j − 32)·q; 16 groups with 6-bit scales: 4 bits in the nibbles of 8 bytes, 2 in quarters of the 4 behind them.
/// Integers have 3 bits, −4 … 3: the highest is a bit of the block's first 32 bytes, the others are in the 64 behind.
template <>
struct BlockRegisters<BlockFormat::q3_k> : KQuant<16, false> {
  std::uint8_t const *high, *bytes;

  explicit EIGEN_ALWAYS_INLINE BlockRegisters(std::byte const* block)
      : KQuant{scales_of(block + 96, generic::load_half(block + 108))},
        high(generic::load_bytes<std::uint8_t>(block)),
        bytes(generic::load_bytes<std::uint8_t>(block + 32)) {}
  template <Index i>
  [[nodiscard]] EIGEN_ALWAYS_INLINE simd::Register<float> quants() const {
    constexpr int bit = static_cast<int>(i / 32);
    auto const low = simd::masked<bit % 4 * 2, 3>(simd::byte_integers(bytes + i / 128 * 32 + i % 32));
    auto const highest = simd::masked<bit - 2, 4>(simd::byte_integers(high + i % 32));
    return simd::floats(simd::minus(simd::bits_of(low, highest), 4));
  }

 private:
  EIGEN_ALWAYS_INLINE static Factors<16> scales_of(std::byte const* packed, float d) {
    std::uint64_t const low = eight_bytes(packed);
    std::uint32_t last = 0;
    std::memcpy(&last, packed + 8, 4);
    std::uint64_t const h = last, both = h | h >> 2 << 32;  // the second four bytes have the next quarter first
    auto const scale = [&](std::uint64_t nibbles, std::uint64_t quarters) {
      auto const six = every_byte(nibbles, 15) | every_byte(quarters, 3) << 4;
      return times(d, _mm256_sub_ps(byte_floats(six), _mm256_set1_ps(32)));
    };
    return {scale(low, both), scale(low >> 4, both >> 4)};
  }
};

/// d·s_j·q − d'·m_j; 8 groups with 6-bit scales and minima in 12 bytes; integers of 4 bits.
struct KQuantOfGroups : KQuant<32, true> {
  Factors<8> least;

  explicit EIGEN_ALWAYS_INLINE KQuantOfGroups(std::byte const* block)
      : KQuantOfGroups(generic::load_half(block), generic::load_half(block + 2), eight_bytes(block + 4), block + 12) {}
  [[nodiscard]] EIGEN_ALWAYS_INLINE float const* minima() const { return least.data(); }

 private:
  /// Bytes 0 … 3 of `first` are about scales, 4 … 7 about minima. Their lower 6 bits are those of groups 0 … 3. Their
  /// upper 2 are the highest of groups 4 … 7, whose lower 4 are nibbles of the bytes `behind`.
  EIGEN_ALWAYS_INLINE KQuantOfGroups(float d, float minimum, std::uint64_t first, std::byte const* behind)
      : KQuant{Factors<8>(times(d, byte_floats(joined(first, four_bytes(behind)))))},
        least(times(-minimum, byte_floats(joined(first >> 32, four_bytes(behind) >> 4)))) {}
  EIGEN_ALWAYS_INLINE static std::uint64_t four_bytes(std::byte const* from) {
    std::uint32_t word = 0;
    std::memcpy(&word, from, 4);
    return word;
  }
  EIGEN_ALWAYS_INLINE static std::uint64_t joined(std::uint64_t six, std::uint64_t four) {
    std::uint64_t const low = six & 0x3f3f3f3fU, high = (four & 0x0f0f0f0fU) | (six >> 6 & 0x03030303U) << 4;
    return low | high << 32;
  }
};
template <>
struct BlockRegisters<BlockFormat::q4_k> : KQuantOfGroups {
  std::uint8_t const* bytes;

  explicit EIGEN_ALWAYS_INLINE BlockRegisters(std::byte const* block)
      : KQuantOfGroups(block), bytes(generic::load_bytes<std::uint8_t>(block + 16)) {}
  template <Index i>
  [[nodiscard]] EIGEN_ALWAYS_INLINE simd::Register<float> quants() const {
    return simd::floats(simd::masked<(i / 32 % 2 == 0 ? 0 : 4), 15>(simd::byte_integers(bytes + i / 64 * 32 + i % 32)));
  }
};
/// As Q4_K, with a fifth bit in 32 bytes, one for each group.
template <>
struct BlockRegisters<BlockFormat::q5_k> : KQuantOfGroups {
  std::uint8_t const *high, *bytes;

  explicit EIGEN_ALWAYS_INLINE BlockRegisters(std::byte const* block)
      : KQuantOfGroups(block),
        high(generic::load_bytes<std::uint8_t>(block + 16)),
        bytes(generic::load_bytes<std::uint8_t>(block + 48)) {}
  template <Index i>
  [[nodiscard]] EIGEN_ALWAYS_INLINE simd::Register<float> quants() const {
    constexpr int bit = static_cast<int>(i / 32);
    auto const low = simd::masked<(bit % 2 == 0 ? 0 : 4), 15>(simd::byte_integers(bytes + i / 64 * 32 + i % 32));
    return simd::floats(simd::bits_of(low, simd::masked<bit - 4, 16>(simd::byte_integers(high + i % 32))));
  }
};

/// d·s_j·(q − 32); 16 groups with 8-bit scales; integers of 6 bits: 4 in the nibbles of 128 bytes, 2 in quarters of 64.
template <>
struct BlockRegisters<BlockFormat::q6_k> : KQuant<16, false> {
  std::uint8_t const *low, *high;

  explicit EIGEN_ALWAYS_INLINE BlockRegisters(std::byte const* block)
      : KQuant{scales_of(block + 192, generic::load_half(block + 208))},
        low(generic::load_bytes<std::uint8_t>(block)),
        high(generic::load_bytes<std::uint8_t>(block + 128)) {}
  template <Index i>
  [[nodiscard]] EIGEN_ALWAYS_INLINE simd::Register<float> quants() const {
    constexpr Index half = i / 128, quarter = i % 128 / 32;
    auto const four =
        simd::masked<(quarter < 2 ? 0 : 4), 15>(simd::byte_integers(low + 64 * half + quarter % 2 * 32 + i % 32));
    auto const two =
        simd::masked<static_cast<int>(2 * quarter) - 4, 48>(simd::byte_integers(high + 32 * half + i % 32));
    return simd::floats(simd::minus(simd::bits_of(four, two), 32));
  }

 private:
  EIGEN_ALWAYS_INLINE static Factors<16> scales_of(std::byte const* bytes, float d) {
    __m128i const all = _mm_loadu_si128(reinterpret_cast<__m128i const*>(bytes));
    return {times(d, signed_byte_floats(all)), times(d, signed_byte_floats(_mm_srli_si128(all, 8)))};
  }
};
#endif

}  // namespace graft::kernels::cpu
