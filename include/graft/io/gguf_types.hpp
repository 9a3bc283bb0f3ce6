/// @file
/// @brief GGUF's numbers: value types, tensor types and their block layouts (ggml's enums;
/// https://github.com/ggml-org/ggml/blob/master/docs/gguf.md).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <graft/kernels/block_format.hpp>

namespace graft {

/// Type of a metadata value.
enum class GgufType : std::uint32_t { u8, i8, u16, i16, u32, i32, f32, boolean, string, array, u64, i64, f64 };

inline constexpr std::uint32_t gguf_type_count = 13;

/// Bytes of a scalar; 0 for strings and arrays.
[[nodiscard]] constexpr std::size_t gguf_type_size(GgufType type) noexcept {
  constexpr std::array<std::size_t, gguf_type_count> sizes = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
  return sizes[static_cast<std::size_t>(type)];
}

[[nodiscard]] constexpr std::string_view gguf_type_name(GgufType type) noexcept {
  constexpr std::array<std::string_view, gguf_type_count> names = {"uint8",  "int8",    "uint16", "int16",  "uint32",
                                                                   "int32",  "float32", "bool",   "string", "array",
                                                                   "uint64", "int64",   "float64"};
  return names[static_cast<std::size_t>(type)];
}

/// The tensor types this library reads; the numbers are ggml's.
enum class GgmlType : std::uint32_t {
  f32 = 0,
  f16 = 1,
  q4_0 = 2,
  q4_1 = 3,
  q5_0 = 6,
  q5_1 = 7,
  q8_0 = 8,
  q2_k = 10,
  q3_k = 11,
  q4_k = 12,
  q5_k = 13,
  q6_k = 14,
  bf16 = 30
};

/// The format of a quantized type; nothing for plain numbers.
[[nodiscard]] constexpr std::optional<BlockFormat> block_format(GgmlType type) noexcept {
  switch (type) {
    case GgmlType::q4_0: return BlockFormat::q4_0;
    case GgmlType::q4_1: return BlockFormat::q4_1;
    case GgmlType::q5_0: return BlockFormat::q5_0;
    case GgmlType::q5_1: return BlockFormat::q5_1;
    case GgmlType::q8_0: return BlockFormat::q8_0;
    case GgmlType::q2_k: return BlockFormat::q2_k;
    case GgmlType::q3_k: return BlockFormat::q3_k;
    case GgmlType::q4_k: return BlockFormat::q4_k;
    case GgmlType::q5_k: return BlockFormat::q5_k;
    case GgmlType::q6_k: return BlockFormat::q6_k;
    case GgmlType::f32:
    case GgmlType::f16:
    case GgmlType::bf16: break;
  }
  return std::nullopt;
}

/// Values and bytes of one block; a plain number is a block of one.
struct GgmlBlock {
  std::size_t values;
  std::size_t bytes;
};

[[nodiscard]] constexpr GgmlBlock ggml_block(GgmlType type) noexcept {
  if (auto const format = block_format(type))
    return {static_cast<std::size_t>(block_values(*format)), static_cast<std::size_t>(block_bytes(*format))};
  return {1, type == GgmlType::f32 ? std::size_t{4} : std::size_t{2}};
}

/// ggml's name of any tensor type, readable by this library or not.
[[nodiscard]] constexpr std::string_view ggml_type_name(std::uint32_t type) noexcept {
  constexpr std::array<std::string_view, 40> names = {
      "F32",      "F16",      "Q4_0",    "Q4_1",  "Q4_2",       "Q4_3",       "Q5_0",       "Q5_1",
      "Q8_0",     "Q8_1",     "Q2_K",    "Q3_K",  "Q4_K",       "Q5_K",       "Q6_K",       "Q8_K",
      "IQ2_XXS",  "IQ2_XS",   "IQ3_XXS", "IQ1_S", "IQ4_NL",     "IQ3_S",      "IQ2_S",      "IQ4_XS",
      "I8",       "I16",      "I32",     "I64",   "F64",        "IQ1_M",      "BF16",       "Q4_0_4_4",
      "Q4_0_4_8", "Q4_0_8_8", "TQ1_0",   "TQ2_0", "IQ4_NL_4_4", "IQ4_NL_4_8", "IQ4_NL_8_8", "MXFP4"};
  return type < names.size() ? names[type] : "unknown";
}

[[nodiscard]] constexpr bool ggml_type_readable(std::uint32_t type) noexcept {
  return type <= 3 || (type >= 6 && type <= 8) || (type >= 10 && type <= 14) || type == 30;
}

}  // namespace graft
