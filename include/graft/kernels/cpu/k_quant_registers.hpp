/// @file
/// @brief K-quants, blocks of 256 numbers in groups with scales of their own, widened in registers.
#pragma once

#include <cstring>

#include <graft/kernels/cpu/block_registers.hpp>
#include <graft/kernels/cpu/row_products.hpp>

namespace graft::kernels::cpu {

#if defined(EIGEN_VECTORIZE_AVX2) && defined(__F16C__)
/// `count` floats, a block's scales or minima, of which one fills a register from memory.
template <Index count>
class GroupFactors {
 public:
  /// factor · b for the 8 bytes b of `bytes`, from place `first` on; the lowest byte comes first.
  EIGEN_ALWAYS_INLINE void put(Index first, float factor, std::uint64_t bytes) {
    put(first, factor, _mm256_cvtepu8_epi32(_mm_set_epi64x(0, static_cast<long long>(bytes))));
  }
  EIGEN_ALWAYS_INLINE void put(Index first, float factor, __m256i integers) {
    _mm256_store_ps(numbers_ + first, _mm256_mul_ps(_mm256_set1_ps(factor), _mm256_cvtepi32_ps(integers)));
  }
  /// After the last is put: the compiler is to read them from memory.
  EIGEN_ALWAYS_INLINE void finish() { __asm__("" : "+m"(numbers_)); }
  /// That of the group of number i.
  [[nodiscard]] EIGEN_ALWAYS_INLINE float of(Index i) const { return numbers_[i * count / 256]; }

 private:
  alignas(32) float numbers_[std::size_t{count}];
};

/// s_j·q with 16 groups j.
struct ScaledGroups {
  static constexpr bool exists = simd::has_integers;
  static constexpr Index step = 64;
  UnpackedIntegers<256> integers;
  GroupFactors<16> scales;

  template <Index i>
  [[nodiscard]] EIGEN_ALWAYS_INLINE simd::Register<float> at(Index u) const {
    return simd::pmul(integers.at(u + i), simd::broadcast(scales.of(u + i)));
  }
};

template <class Word>
[[nodiscard]] EIGEN_ALWAYS_INLINE Word load_word(std::byte const* from) {
  Word word = 0;
  std::memcpy(&word, from, sizeof word);
  return word;
}

/// The 6-bit scales and minima of 8 groups of a block of Q4_K or Q5_K, in the 12 bytes after its two halves.
struct SixBitGroups {
  GroupFactors<8> scales, minima;

  explicit EIGEN_ALWAYS_INLINE SixBitGroups(std::byte const* block) {
    auto const a = load_word<std::uint32_t>(block + 4), b = load_word<std::uint32_t>(block + 8),
               c = load_word<std::uint32_t>(block + 12);
    constexpr std::uint32_t six = 0x3f3f3f3f, four = 0x0f0f0f0f, upper = 0x30303030;
    auto const joined = [](std::uint32_t low, std::uint32_t high) { return std::uint64_t{high} << 32 | low; };
    scales.put(0, generic::load_half(block), joined(a & six, (c & four) | (a >> 2 & upper)));
    minima.put(0, -generic::load_half(block + 2), joined(b & six, (c >> 4 & four) | (b >> 2 & upper)));
    scales.finish();
    minima.finish();
  }
};
template <>
struct BlockRegisters<BlockFormat::q4_k> {
  static constexpr bool exists = simd::has_integers;
  static constexpr Index step = 64;
  SixBitGroups groups;
  std::uint8_t const* bytes;

  explicit EIGEN_ALWAYS_INLINE BlockRegisters(std::byte const* block)
      : groups(block), bytes(generic::load_bytes<std::uint8_t>(block + 16)) {}
  template <Index i>
  [[nodiscard]] EIGEN_ALWAYS_INLINE simd::Register<float> at(Index u) const {
    auto const pair = simd::byte_integers(bytes + u / 2 + i % 32);
    return simd::scaled_nibbles(simd::shifted<(i < 32 ? 0 : 4)>(pair), groups.scales.of(u + i),
                                groups.minima.of(u + i));
  }
};
template <>
struct BlockRegisters<BlockFormat::q5_k> {
  static constexpr bool exists = simd::has_integers;
  static constexpr Index step = 64;
  SixBitGroups groups;
  UnpackedIntegers<256> integers;

  explicit EIGEN_ALWAYS_INLINE BlockRegisters(std::byte const* block) : groups(block) {
    __m256i const high = load_32_bytes(block + 16);
    unrolled<4>([&](auto pair) __attribute__((always_inline)) {
      __m256i const bytes = load_32_bytes(block + 48 + 32 * pair);
      integers.put(64 * pair, _mm256_or_si256(bits_of_bytes<0, 15>(bytes), bits_of_bytes<2 * pair - 4, 16>(high)));
      integers.put(64 * pair + 32, _mm256_or_si256(bits_of_bytes<4, 15>(bytes), bits_of_bytes<2 * pair - 3, 16>(high)));
    });
    integers.finish();
  }
  template <Index i>
  [[nodiscard]] EIGEN_ALWAYS_INLINE simd::Register<float> at(Index u) const {
    return simd::pmadd(integers.at(u + i), simd::broadcast(groups.scales.of(u + i)),
                       simd::broadcast(groups.minima.of(u + i)));
  }
};

template <>
struct BlockRegisters<BlockFormat::q2_k> {
  static constexpr bool exists = simd::has_integers;
  static constexpr Index step = 64;
  UnpackedIntegers<256> integers;
  GroupFactors<16> scales, minima;

  explicit EIGEN_ALWAYS_INLINE BlockRegisters(std::byte const* block) {
    float const d = generic::load_half(block + 80), least = -generic::load_half(block + 82);
    constexpr std::uint64_t four = 0x0f0f0f0f0f0f0f0f;
    unrolled<2>([&](auto half) __attribute__((always_inline)) {
      auto const groups = load_word<std::uint64_t>(block + 8 * half);
      scales.put(8 * half, d, groups & four);
      minima.put(8 * half, least, groups >> 4 & four);
      __m256i const bytes = load_32_bytes(block + 16 + 32 * half);
      unrolled<4>([&](auto j) __attribute__((always_inline)) {
        integers.put(128 * half + 32 * j, bits_of_bytes<2 * j, 3>(bytes));
      });
    });
    scales.finish();
    minima.finish();
    integers.finish();
  }
  template <Index i>
  [[nodiscard]] EIGEN_ALWAYS_INLINE simd::Register<float> at(Index u) const {
    return simd::pmadd(integers.at(u + i), simd::broadcast(scales.of(u + i)), simd::broadcast(minima.of(u + i)));
  }
};
template <>
struct BlockRegisters<BlockFormat::q3_k> : ScaledGroups {
  explicit EIGEN_ALWAYS_INLINE BlockRegisters(std::byte const* block) {
    auto const low = load_word<std::uint64_t>(block + 96);
    std::uint64_t const high = load_word<std::uint32_t>(block + 104);
    constexpr std::uint64_t four = 0x0f0f0f0f0f0f0f0f, upper = 0x30303030;
    auto const put = [&](Index first, std::uint64_t lower, std::uint64_t above) __attribute__((always_inline)) {
      __m128i const bytes =
          _mm_sub_epi8(_mm_set_epi64x(0, static_cast<long long>((lower & four) | above)), _mm_set1_epi8(32));
      scales.put(first, generic::load_half(block + 108), _mm256_cvtepi8_epi32(bytes));
    };
    put(0, low, (high << 4 & upper) | (high << 2 & upper) << 32);
    put(8, low >> 4, (high & upper) | (high >> 2 & upper) << 32);
    __m256i const unset = _mm256_xor_si256(load_32_bytes(block), _mm256_set1_epi8(-1));
    unrolled<2>([&](auto half) __attribute__((always_inline)) {
      __m256i const bytes = load_32_bytes(block + 32 + 32 * half);
      unrolled<4>([&](auto j) __attribute__((always_inline)) {
        integers.put(128 * half + 32 * j,
                     _mm256_sub_epi8(bits_of_bytes<2 * j, 3>(bytes), bits_of_bytes<4 * half + j - 2, 4>(unset)));
      });
    });
    scales.finish();
    integers.finish();
  }
};
template <>
struct BlockRegisters<BlockFormat::q6_k> : ScaledGroups {
  explicit EIGEN_ALWAYS_INLINE BlockRegisters(std::byte const* block) {
    float const d = generic::load_half(block + 208);
    unrolled<2>([&](auto half) __attribute__((always_inline)) {
      scales.put(8 * half, d,
                 _mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<__m128i const*>(block + 192 + 8 * half))));
      __m256i const high = load_32_bytes(block + 128 + 32 * half);
      unrolled<4>([&](auto j) __attribute__((always_inline)) {
        __m256i const low = load_32_bytes(block + 64 * half + 32 * (j % 2));
        __m256i const q = _mm256_or_si256(bits_of_bytes<j / 2 * 4, 15>(low), bits_of_bytes<2 * j - 4, 48>(high));
        integers.put(128 * half + 32 * j, _mm256_sub_epi8(q, _mm256_set1_epi8(32)));
      });
    });
    scales.finish();
    integers.finish();
  }
};
#endif

}  // namespace graft::kernels::cpu
