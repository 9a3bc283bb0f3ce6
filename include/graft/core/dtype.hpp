/// @file
/// @brief The number formats tensors are stored in, and the two 16-bit formats C++20 lacks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#ifndef GRAFT_HOST_DEVICE
#ifdef __CUDACC__
#define GRAFT_HOST_DEVICE __host__ __device__
#else
#define GRAFT_HOST_DEVICE
#endif
#endif

namespace graft {

/// Element format of stored tensors (Hugging Face safetensors' names: F64, F32, F16, BF16, I64, I32, I16, I8, U8,
/// BOOL).
enum class Dtype : std::uint8_t { f64, f32, f16, bf16, i64, i32, i16, i8, u8, boolean };

/// Bytes of one element.
[[nodiscard]] constexpr std::size_t dtype_size(Dtype dtype) noexcept {
  switch (dtype) {
    case Dtype::f64:
    case Dtype::i64: return 8;
    case Dtype::f32:
    case Dtype::i32: return 4;
    case Dtype::f16:
    case Dtype::bf16:
    case Dtype::i16: return 2;
    case Dtype::i8:
    case Dtype::u8:
    case Dtype::boolean: return 1;
  }
  return 0;
}

/// Name as Hugging Face configurations spell it: "float32", "bfloat16", "int64", …
[[nodiscard]] constexpr std::string_view dtype_name(Dtype dtype) noexcept {
  switch (dtype) {
    case Dtype::f64: return "float64";
    case Dtype::f32: return "float32";
    case Dtype::f16: return "float16";
    case Dtype::bf16: return "bfloat16";
    case Dtype::i64: return "int64";
    case Dtype::i32: return "int32";
    case Dtype::i16: return "int16";
    case Dtype::i8: return "int8";
    case Dtype::u8: return "uint8";
    case Dtype::boolean: return "bool";
  }
  return "unknown";
}

namespace detail {

// __builtin_bit_cast rather than std::bit_cast: a CUDA compiler takes it in device code without further flags.
GRAFT_HOST_DEVICE constexpr std::uint32_t bits_of(float value) noexcept {
  return __builtin_bit_cast(std::uint32_t, value);
}
GRAFT_HOST_DEVICE constexpr float float_of(std::uint32_t bits) noexcept { return __builtin_bit_cast(float, bits); }

/// Upper half of a float, rounded to nearest even; a NaN keeps its sign and upper payload and is made quiet. A GPU has
/// an instruction for it, whose NaN is 0x7fff.
GRAFT_HOST_DEVICE constexpr std::uint16_t float_to_bfloat16_bits(float value) noexcept {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  if (!__builtin_is_constant_evaluated()) {
    std::uint16_t bits;
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(bits) : "f"(value));
    return bits;
  }
#endif
  std::uint32_t const x = bits_of(value);
  bool const nan = (x & 0x7fffffffu) > 0x7f800000u;
  std::uint32_t const rounded = x + 0x7fffu + ((x >> 16) & 1u);
  return static_cast<std::uint16_t>((nan ? (x | 0x00400000u) : rounded) >> 16);
}

/// IEEE 754 binary32 → binary16, rounded to nearest even (overflow to infinity, gradual underflow, NaN kept quiet).
GRAFT_HOST_DEVICE constexpr std::uint16_t float_to_half_bits(float value) noexcept {
  std::uint32_t const x = bits_of(value);
  std::uint32_t const sign = (x >> 16) & 0x8000u;
  std::uint32_t const magnitude = x & 0x7fffffffu;
  std::uint32_t result = 0;
  if (magnitude > 0x7f800000u) {
    result = 0x7e00u | ((magnitude >> 13) & 0x3ffu);
  } else if (magnitude >= 0x477ff000u) {  // 65520, half-way between the largest half and the next power of two
    result = 0x7c00u;
  } else if (magnitude >= 0x38800000u) {  // 2⁻¹⁴, the smallest normal half
    result = ((magnitude + 0xfffu + ((magnitude >> 13) & 1u)) >> 13) - (112u << 10);
  } else if (magnitude > 0x33000000u) {  // 2⁻²⁵: at and below it everything rounds to zero
    std::uint32_t const shift = 126u - (magnitude >> 23);
    std::uint32_t const mantissa = (magnitude & 0x7fffffu) | 0x800000u;
    std::uint32_t const odd = (mantissa >> shift) & 1u;
    result = (mantissa + (1u << (shift - 1)) - 1u + odd) >> shift;
  }
  return static_cast<std::uint16_t>(sign | result);
}

/// Exact binary16 → binary32, written with selects so that loops over it vectorize.
GRAFT_HOST_DEVICE constexpr float half_bits_to_float(std::uint16_t bits) noexcept {
  std::uint32_t const sign = (static_cast<std::uint32_t>(bits) & 0x8000u) << 16;
  std::uint32_t const magnitude = bits & 0x7fffu;
  std::uint32_t const shifted = magnitude << 13;
  constexpr std::uint32_t smallest_normal = 113u << 23;  // 2⁻¹⁴ as a float
  // 2⁻¹⁴(1 + m/1024) − 2⁻¹⁴ is the subnormal's value, and no subnormal float is touched on the way (flush-to-zero
  // modes).
  std::uint32_t const subnormal = bits_of(float_of(smallest_normal + shifted) - float_of(smallest_normal));
  std::uint32_t const normal = shifted + (112u << 23);
  std::uint32_t const special = shifted | 0x7f800000u;
  std::uint32_t const finite = magnitude < 0x400u ? subnormal : normal;
  return float_of(sign | (magnitude >= 0x7c00u ? special : finite));
}

}  // namespace detail

/// bfloat16 as storage: the upper 16 bits of a float. Compute in float32; `==` compares bits.
struct bfloat16 {
  std::uint16_t bits = 0;

  bfloat16() = default;
  GRAFT_HOST_DEVICE constexpr explicit bfloat16(float value) noexcept : bits(detail::float_to_bfloat16_bits(value)) {}
  GRAFT_HOST_DEVICE constexpr explicit operator float() const noexcept {
    return detail::float_of(static_cast<std::uint32_t>(bits) << 16);
  }
  [[nodiscard]] static constexpr bfloat16 from_bits(std::uint16_t bits) noexcept {
    bfloat16 value;
    value.bits = bits;
    return value;
  }
  friend constexpr bool operator==(bfloat16, bfloat16) = default;
};

/// IEEE 754 binary16 as storage. Compute in float32; `==` compares bits.
struct half {
  std::uint16_t bits = 0;

  half() = default;
  GRAFT_HOST_DEVICE constexpr explicit half(float value) noexcept : bits(detail::float_to_half_bits(value)) {}
  GRAFT_HOST_DEVICE constexpr explicit operator float() const noexcept { return detail::half_bits_to_float(bits); }
  [[nodiscard]] static constexpr half from_bits(std::uint16_t bits) noexcept {
    half value;
    value.bits = bits;
    return value;
  }
  friend constexpr bool operator==(half, half) = default;
};

static_assert(sizeof(bfloat16) == 2 && sizeof(half) == 2);

/// The Dtype that stores a C++ type; `dtype_of<float> == Dtype::f32`.
template <class T>
inline constexpr Dtype dtype_of = T::no_dtype_stores_this_type;
template <>
inline constexpr Dtype dtype_of<double> = Dtype::f64;
template <>
inline constexpr Dtype dtype_of<float> = Dtype::f32;
template <>
inline constexpr Dtype dtype_of<half> = Dtype::f16;
template <>
inline constexpr Dtype dtype_of<bfloat16> = Dtype::bf16;
template <>
inline constexpr Dtype dtype_of<std::int64_t> = Dtype::i64;
template <>
inline constexpr Dtype dtype_of<std::int32_t> = Dtype::i32;
template <>
inline constexpr Dtype dtype_of<std::int16_t> = Dtype::i16;
template <>
inline constexpr Dtype dtype_of<std::int8_t> = Dtype::i8;
template <>
inline constexpr Dtype dtype_of<std::uint8_t> = Dtype::u8;
template <>
inline constexpr Dtype dtype_of<bool> = Dtype::boolean;

}  // namespace graft
