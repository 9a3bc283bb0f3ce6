/// @file
/// @brief Quantized blocks → numbers on every device, one function a format, as loops that vectorize.
/// A half (11 significant bits) times the integers of a block is exact in float32, so that results do not depend on
/// whether the compiler fuses multiplications and additions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#if defined(__F16C__) && !defined(__CUDACC__)
#define GRAFT_LOADS_HALF
#include <immintrin.h>
#endif

#include <graft/core/device_pointer.hpp>
#include <graft/core/dtype.hpp>
#include <graft/kernels/block_format.hpp>

// g++ would unroll loops of 16 as a whole before it looks for vectors, and fear that y overlaps the bytes.
#if defined(__GNUC__) && !defined(__clang__) && !defined(__CUDACC__)
#define GRAFT_VECTOR_LOOP _Pragma("GCC ivdep") _Pragma("GCC unroll 1")
#else
#define GRAFT_VECTOR_LOOP
#endif

namespace graft::kernels::generic {

[[nodiscard]] GRAFT_HOST_DEVICE inline float load_half(std::byte const* source) noexcept {
  std::uint16_t bits = 0;
  std::memcpy(&bits, source, 2);
#ifdef GRAFT_LOADS_HALF
  return _cvtsh_ss(bits);
#else
  return graft::detail::half_bits_to_float(bits);
#endif
}

/// The bytes from there on as integers.
template <class Byte>
[[nodiscard]] GRAFT_HOST_DEVICE inline Byte const* load_bytes(std::byte const* source) noexcept {
  return reinterpret_cast<Byte const*>(source);
}

/// y_i = scale·q(i) − minimum for i below `count`; q(i) is an int. In one pass from bytes in memory to numbers: what is
/// copied to an array before ends in scalar registers. y does not overlap the bytes.
template <int count, class Quant, class To>
GRAFT_HOST_DEVICE inline void scale_quants(float scale, float minimum, Quant const& q, To* y) noexcept {
  GRAFT_VECTOR_LOOP
  for (int i = 0; i < count; ++i) y[i] = static_cast<To>(scale * static_cast<float>(q(i)) - minimum);
}
template <int count, class Quant, class To>
GRAFT_HOST_DEVICE inline void scale_quants(float scale, Quant const& q, To* y) noexcept {
  GRAFT_VECTOR_LOOP
  for (int i = 0; i < count; ++i) y[i] = static_cast<To>(scale * static_cast<float>(q(i)));
}

[[nodiscard]] GRAFT_HOST_DEVICE constexpr std::size_t at(int i) noexcept { return static_cast<std::size_t>(i); }

template <BlockFormat format>
struct Dequantize;

/// d·q
template <>
struct Dequantize<BlockFormat::q8_0> {
  template <class To>
  GRAFT_HOST_DEVICE static void block(std::byte const* from, To* y) noexcept {
    auto const* const bytes = load_bytes<std::int8_t>(from + 2);
    scale_quants<32>(load_half(from), [&](int i) { return int{bytes[at(i)]}; }, y);
  }
};

/// d·(q − 8); nibbles 0 … 15 are the bytes' lower halves, 16 … 31 the upper.
template <>
struct Dequantize<BlockFormat::q4_0> {
  template <class To>
  GRAFT_HOST_DEVICE static void block(std::byte const* from, To* y) noexcept {
    float const d = load_half(from);
    auto const* const bytes = load_bytes<std::uint8_t>(from + 2);
    scale_quants<16>(d, [&](int i) { return (bytes[at(i)] & 15) - 8; }, y);
    scale_quants<16>(d, [&](int i) { return (bytes[at(i)] >> 4) - 8; }, y + 16);
  }
};

/// d·q + m
template <>
struct Dequantize<BlockFormat::q4_1> {
  template <class To>
  GRAFT_HOST_DEVICE static void block(std::byte const* from, To* y) noexcept {
    float const d = load_half(from), minimum = -load_half(from + 2);
    auto const* const bytes = load_bytes<std::uint8_t>(from + 4);
    scale_quants<16>(d, minimum, [&](int i) { return bytes[at(i)] & 15; }, y);
    scale_quants<16>(d, minimum, [&](int i) { return bytes[at(i)] >> 4; }, y + 16);
  }
};

/// d·(q − 16); the fifth bit of integer i is bit i of the four bytes before the nibbles.
template <>
struct Dequantize<BlockFormat::q5_0> {
  template <class To>
  GRAFT_HOST_DEVICE static void block(std::byte const* from, To* y) noexcept {
    float const d = load_half(from);
    std::uint32_t high = 0;
    std::memcpy(&high, from + 2, 4);
    auto const* const bytes = load_bytes<std::uint8_t>(from + 6);
    scale_quants<16>(d, [&](int i) { return ((bytes[at(i)] & 15) | static_cast<int>(high >> i & 1) << 4) - 16; }, y);
    scale_quants<16>(
        d, [&](int i) { return ((bytes[at(i)] >> 4) | static_cast<int>(high >> (i + 16) & 1) << 4) - 16; }, y + 16);
  }
};

/// d·q + m
template <>
struct Dequantize<BlockFormat::q5_1> {
  template <class To>
  GRAFT_HOST_DEVICE static void block(std::byte const* from, To* y) noexcept {
    float const d = load_half(from), minimum = -load_half(from + 2);
    std::uint32_t high = 0;
    std::memcpy(&high, from + 4, 4);
    auto const* const bytes = load_bytes<std::uint8_t>(from + 8);
    scale_quants<16>(d, minimum, [&](int i) { return (bytes[at(i)] & 15) | static_cast<int>(high >> i & 1) << 4; }, y);
    scale_quants<16>(
        d, minimum, [&](int i) { return (bytes[at(i)] >> 4) | static_cast<int>(high >> (i + 16) & 1) << 4; }, y + 16);
  }
};

/// d·s_j·q − d'·m_j; 16 groups j of 16 with 4-bit scales and minima; integers of 2 bits.
template <>
struct Dequantize<BlockFormat::q2_k> {
  template <class To>
  GRAFT_HOST_DEVICE static void block(std::byte const* from, To* y) noexcept {
    auto const* const scales = load_bytes<std::uint8_t>(from);
    float const d = load_half(from + 80), minimum = load_half(from + 82);
    for (std::size_t half = 0; half < 2; ++half) {
      auto const* const bytes = load_bytes<std::uint8_t>(from + 16 + 32 * half);
      for (unsigned j = 0; j < 4; ++j, y += 32) {
        for (std::size_t part = 0; part < 2; ++part) {
          std::uint8_t const scale = scales[8 * half + 2 * j + part];
          scale_quants<16>(
              d * static_cast<float>(scale & 15), minimum * static_cast<float>(scale >> 4),
              [&](int i) { return bytes[16 * part + at(i)] >> (2 * j) & 3; }, y + 16 * part);
        }
      }
    }
  }
};

/// d·(s_j − 32)·q; 16 groups j of 16 with 6-bit scales; integers of 3 bits, −4 … 3.
template <>
struct Dequantize<BlockFormat::q3_k> {
  template <class To>
  GRAFT_HOST_DEVICE static void block(std::byte const* from, To* y) noexcept {
    auto const* const high = load_bytes<std::uint8_t>(from);
    auto const* const packed = load_bytes<std::uint8_t>(from + 96);
    int scales[16];
    for (std::size_t j = 0; j < 16; ++j) {
      int const low = j < 8 ? packed[j] & 15 : packed[j - 8] >> 4;
      scales[j] = (low | ((packed[8 + j % 4] >> (2 * (j / 4)) & 3) << 4)) - 32;
    }
    float const d = load_half(from + 108);
    for (std::size_t half = 0; half < 2; ++half) {
      auto const* const bytes = load_bytes<std::uint8_t>(from + 32 + 32 * half);
      for (unsigned j = 0; j < 4; ++j, y += 32) {
        unsigned const bit = static_cast<unsigned>(4 * half) + j;
        for (std::size_t part = 0; part < 2; ++part) {
          auto const q = [&](int i) {
            std::size_t const k = 16 * part + at(i);
            return (bytes[k] >> (2 * j) & 3) + ((high[k] >> bit & 1) << 2) - 4;
          };
          scale_quants<16>(d * static_cast<float>(scales[8 * half + 2 * j + part]), q, y + 16 * part);
        }
      }
    }
  }
};

/// The 6-bit scales and minima of 8 groups, in 12 bytes.
struct GroupScales {
  float scale[8], minimum[8];
  GRAFT_HOST_DEVICE GroupScales(float d, float least, std::byte const* from) noexcept {
    auto const* const b = load_bytes<std::uint8_t>(from);
    for (std::size_t j = 0; j < 4; ++j) {
      scale[j] = d * static_cast<float>(b[j] & 63);
      minimum[j] = least * static_cast<float>(b[j + 4] & 63);
      scale[j + 4] = d * static_cast<float>((b[j + 8] & 15) | (b[j] >> 6) << 4);
      minimum[j + 4] = least * static_cast<float>((b[j + 8] >> 4) | (b[j + 4] >> 6) << 4);
    }
  }
};

/// d·s_j·q − d'·m_j; 8 groups j of 32 with 6-bit scales and minima; integers of 4 bits.
template <>
struct Dequantize<BlockFormat::q4_k> {
  template <class To>
  GRAFT_HOST_DEVICE static void block(std::byte const* from, To* y) noexcept {
    GroupScales const groups(load_half(from), load_half(from + 2), from + 4);
    for (std::size_t pair = 0; pair < 4; ++pair, y += 64) {
      auto const* const bytes = load_bytes<std::uint8_t>(from + 16 + 32 * pair);
      scale_quants<32>(groups.scale[2 * pair], groups.minimum[2 * pair], [&](int i) { return bytes[at(i)] & 15; }, y);
      scale_quants<32>(
          groups.scale[2 * pair + 1], groups.minimum[2 * pair + 1], [&](int i) { return bytes[at(i)] >> 4; }, y + 32);
    }
  }
};

/// As Q4_K, with integers of 5 bits.
template <>
struct Dequantize<BlockFormat::q5_k> {
  template <class To>
  GRAFT_HOST_DEVICE static void block(std::byte const* from, To* y) noexcept {
    GroupScales const groups(load_half(from), load_half(from + 2), from + 4);
    auto const* const high = load_bytes<std::uint8_t>(from + 16);
    for (unsigned pair = 0; pair < 4; ++pair, y += 64) {
      auto const* const bytes = load_bytes<std::uint8_t>(from + 48 + 32 * pair);
      scale_quants<32>(
          groups.scale[2 * pair], groups.minimum[2 * pair],
          [&](int i) { return (bytes[at(i)] & 15) | (high[at(i)] >> (2 * pair) & 1) << 4; }, y);
      scale_quants<32>(
          groups.scale[2 * pair + 1], groups.minimum[2 * pair + 1],
          [&](int i) { return (bytes[at(i)] >> 4) | (high[at(i)] >> (2 * pair + 1) & 1) << 4; }, y + 32);
    }
  }
};

/// d·s_j·(q − 32); 16 groups j of 16 with 8-bit scales; integers of 6 bits.
template <>
struct Dequantize<BlockFormat::q6_k> {
  template <class To>
  GRAFT_HOST_DEVICE static void block(std::byte const* from, To* y) noexcept {
    auto const* const scales = load_bytes<std::int8_t>(from + 192);
    float const d = load_half(from + 208);
    for (std::size_t half = 0; half < 2; ++half) {
      auto const* const low = load_bytes<std::uint8_t>(from + 64 * half);
      auto const* const high = load_bytes<std::uint8_t>(from + 128 + 32 * half);
      for (unsigned j = 0; j < 4; ++j, y += 32) {
        std::uint8_t const* const bytes = low + 32 * (j % 2);
        unsigned const shift = 4 * (j / 2);
        for (std::size_t part = 0; part < 2; ++part) {
          auto const q = [&](int i) {
            std::size_t const k = 16 * part + at(i);
            return ((bytes[k] >> shift & 15) | (high[k] >> (2 * j) & 3) << 4) - 32;
          };
          scale_quants<16>(d * static_cast<float>(scales[8 * half + 2 * j + part]), q, y + 16 * part);
        }
      }
    }
  }
};

/// `count` numbers, whole blocks of one format.
template <BlockFormat format, class To>
GRAFT_HOST_DEVICE void dequantize(std::byte const* from, Index count, To* y) noexcept {
  for (Index i = 0; i < count; i += block_values(format), from += block_bytes(format))
    Dequantize<format>::block(from, y + i);
}

/// Calls `f` with the format as a type, once for a whole product.
template <class F>
GRAFT_HOST_DEVICE void with_format(BlockFormat format, F const& f) {
  switch (format) {
#define GRAFT_FORMAT(name) \
  case BlockFormat::name: return f(std::integral_constant<BlockFormat, BlockFormat::name>{})
    GRAFT_FORMAT(q4_0);
    GRAFT_FORMAT(q4_1);
    GRAFT_FORMAT(q5_0);
    GRAFT_FORMAT(q5_1);
    GRAFT_FORMAT(q8_0);
    GRAFT_FORMAT(q2_k);
    GRAFT_FORMAT(q3_k);
    GRAFT_FORMAT(q4_k);
    GRAFT_FORMAT(q5_k);
    GRAFT_FORMAT(q6_k);
#undef GRAFT_FORMAT
  }
}

}  // namespace graft::kernels::generic

#undef GRAFT_VECTOR_LOOP
#undef GRAFT_LOADS_HALF
