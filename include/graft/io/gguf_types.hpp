/// @file
/// @brief GGUF's numbers: value types, tensor types and their block layouts (ggml's enums;
/// https://github.com/ggml-org/ggml/blob/master/docs/gguf.md).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

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
  constexpr std::array<std::string_view, gguf_type_count> names = {"uint8", "int8",   "uint16", "int16",  "uint32", "int32",  "float32",
                                                                   "bool",  "string", "array",  "uint64", "int64",  "float64"};
  return names[static_cast<std::size_t>(type)];
}

/// The tensor types this library reads; the numbers are ggml's.
enum class GgmlType : std::uint32_t { f32 = 0, f16 = 1, q4_0 = 2, q4_1 = 3, q8_0 = 8, bf16 = 30 };

/// Values and bytes of one block. Q4_0: half scale, 16 bytes of nibbles; Q4_1: half scale,
/// half minimum, 16 bytes; Q8_0: half scale, 32 int8.
struct GgmlBlock {
  std::size_t values;
  std::size_t bytes;
};

[[nodiscard]] constexpr GgmlBlock ggml_block(GgmlType type) noexcept {
  switch (type) {
    case GgmlType::f32:
      return {1, 4};
    case GgmlType::f16:
    case GgmlType::bf16:
      return {1, 2};
    case GgmlType::q4_0:
      return {32, 18};
    case GgmlType::q4_1:
      return {32, 20};
    case GgmlType::q8_0:
      return {32, 34};
  }
  return {1, 0};
}

/// ggml's name of any tensor type, readable by this library or not.
[[nodiscard]] constexpr std::string_view ggml_type_name(std::uint32_t type) noexcept {
  constexpr std::array<std::string_view, 40> names = {
      "F32",    "F16",      "Q4_0",     "Q4_1",     "Q4_2",  "Q4_3",  "Q5_0",       "Q5_1",       "Q8_0",       "Q8_1",
      "Q2_K",   "Q3_K",     "Q4_K",     "Q5_K",     "Q6_K",  "Q8_K",  "IQ2_XXS",    "IQ2_XS",     "IQ3_XXS",    "IQ1_S",
      "IQ4_NL", "IQ3_S",    "IQ2_S",    "IQ4_XS",   "I8",    "I16",   "I32",        "I64",        "F64",        "IQ1_M",
      "BF16",   "Q4_0_4_4", "Q4_0_4_8", "Q4_0_8_8", "TQ1_0", "TQ2_0", "IQ4_NL_4_4", "IQ4_NL_4_8", "IQ4_NL_8_8", "MXFP4"};
  return type < names.size() ? names[type] : "unknown";
}

[[nodiscard]] constexpr bool ggml_type_readable(std::uint32_t type) noexcept { return type <= 3 || type == 8 || type == 30; }

}  // namespace graft
