/// @file
/// @brief GGUF block formats → float32.
#pragma once

#include <graft/core/dtype.hpp>
#include <graft/io/gguf_types.hpp>
#include <graft/io/tensor_entry.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace graft {

namespace detail {

[[nodiscard]] inline float load_half(std::byte const* source) noexcept {
  std::uint16_t bits = 0;
  std::memcpy(&bits, source, 2);
  return half_bits_to_float(bits);
}

// A half (11 significant bits) times an integer of 8 bits is exact in float32, so the results do not depend on whether the compiler
// fuses the multiplication and the addition below.
inline void dequantize_q8_0(std::byte const* block, float* out) noexcept {
  float const scale = load_half(block);
  std::int8_t quants[32];
  std::memcpy(quants, block + 2, 32);
  for (std::size_t i = 0; i < 32; ++i) out[i] = scale * static_cast<float>(quants[i]);
}

inline void dequantize_q4_0(std::byte const* block, float* out) noexcept {
  float const scale = load_half(block);
  std::uint8_t quants[16];
  std::memcpy(quants, block + 2, 16);
  for (std::size_t i = 0; i < 16; ++i) {
    out[i] = scale * static_cast<float>(static_cast<int>(quants[i] & 15u) - 8);
    out[i + 16] = scale * static_cast<float>(static_cast<int>(quants[i] >> 4) - 8);
  }
}

inline void dequantize_q4_1(std::byte const* block, float* out) noexcept {
  float const scale = load_half(block);
  float const minimum = load_half(block + 2);
  std::uint8_t quants[16];
  std::memcpy(quants, block + 4, 16);
  for (std::size_t i = 0; i < 16; ++i) {
    out[i] = scale * static_cast<float>(static_cast<int>(quants[i] & 15u)) + minimum;
    out[i + 16] = scale * static_cast<float>(static_cast<int>(quants[i] >> 4)) + minimum;
  }
}

}  // namespace detail

/// Converts `count` values (a multiple of the block's 1 or 32) stored from `source` on. Value i of a block of 32 is
/// d·(q−8) (Q4_0), d·q + m (Q4_1), d·q (Q8_0); nibbles 0 … 15 are the bytes' lower halves, 16 … 31 the upper.
inline void dequantize_values(GgmlType type, std::byte const* source, std::size_t count, float* out) {
  switch (type) {
    case GgmlType::f32:
      convert_values(Dtype::f32, source, count, out);
      return;
    case GgmlType::f16:
      convert_values(Dtype::f16, source, count, out);
      return;
    case GgmlType::bf16:
      convert_values(Dtype::bf16, source, count, out);
      return;
    case GgmlType::q4_0:
      for (std::size_t i = 0; i < count; i += 32, source += 18) detail::dequantize_q4_0(source, out + i);
      return;
    case GgmlType::q4_1:
      for (std::size_t i = 0; i < count; i += 32, source += 20) detail::dequantize_q4_1(source, out + i);
      return;
    case GgmlType::q8_0:
      for (std::size_t i = 0; i < count; i += 32, source += 34) detail::dequantize_q8_0(source, out + i);
      return;
  }
}

}  // namespace graft
