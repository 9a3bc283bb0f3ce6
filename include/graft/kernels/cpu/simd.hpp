/// @file
/// @brief The operations on whole SIMD registers that kernels write by hand: the one place that knows Eigen's internal
/// packets.
#pragma once

#include <Eigen/Core>
#include <array>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <cstring>

#include <graft/core/dtype.hpp>
#include <graft/core/types.hpp>

namespace graft::kernels::cpu::simd {

/// A register of scalars.
template <class Scalar>
using Register = typename Eigen::internal::packet_traits<Scalar>::type;
/// Scalars of a register.
template <class Scalar>
inline constexpr Index size = Eigen::internal::packet_traits<Scalar>::size;
/// Registers of the processor.
inline constexpr int registers = EIGEN_ARCH_DEFAULT_NUMBER_OF_REGISTERS;

/// The scalars from `from` on; no alignment is asked for.
template <class Scalar>
EIGEN_ALWAYS_INLINE Register<Scalar> load(Scalar const* from) {
  return Eigen::internal::ploadu<Register<Scalar>>(from);
}
template <class Scalar>
EIGEN_ALWAYS_INLINE void store(Scalar* to, Register<Scalar> const& x) {
  Eigen::internal::pstoreu(to, x);
}
/// `value` in every lane.
template <class Scalar>
EIGEN_ALWAYS_INLINE Register<Scalar> broadcast(Scalar value) {
  return Eigen::internal::pset1<Register<Scalar>>(value);
}

/// As many numbers as a register has scalars, as they are stored.
template <class Scalar>
EIGEN_ALWAYS_INLINE Register<Scalar> load_wide(Scalar const* from) {
  return load(from);
}
/// The same of numbers of 16 bits, one at a time.
template <class Narrow>
EIGEN_ALWAYS_INLINE Register<float> load_narrow(Narrow const* from) {
  float wide[size<float>];
  for (Index i = 0; i < size<float>; ++i) wide[i] = static_cast<float>(from[i]);
  return load(wide);
}
/// The same of bfloat16: a float's upper half.
#if defined(__GNUC__)
typedef std::uint16_t Halves __attribute__((vector_size(2 * size<float>)));
typedef std::uint32_t Words __attribute__((vector_size(4 * size<float>)));
template <std::same_as<float> Scalar>
EIGEN_ALWAYS_INLINE Register<float> load_wide(bfloat16 const* from) {
  Halves narrow;
  std::memcpy(&narrow, from, sizeof narrow);
  Words const wide = __builtin_convertvector(narrow, Words) << 16;
  Register<float> result;
  std::memcpy(&result, &wide, sizeof result);
  return result;
}
#else
template <std::same_as<float> Scalar>
EIGEN_ALWAYS_INLINE Register<float> load_wide(bfloat16 const* from) {
  return load_narrow(from);
}
#endif
/// The same of half, for which a processor may have an instruction.
template <std::same_as<float> Scalar>
EIGEN_ALWAYS_INLINE Register<float> load_wide(half const* from) {
#if defined(EIGEN_VECTORIZE_AVX512)
  return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<__m256i const*>(from)));
#elif defined(EIGEN_VECTORIZE_AVX) && defined(__F16C__)
  return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<__m128i const*>(from)));
#else
  return load_narrow(from);
#endif
}

/// As many integers as a register has floats, where the processor has instructions that widen bytes to them:
/// `byte_integers(from)`, `shifted<bits>(x)` to the right, `floats(x)`, and `scaled_nibbles(x, scale, shift)`.
#if defined(EIGEN_VECTORIZE_AVX512)
inline constexpr bool has_integers = true;
using Integers = __m512i;
EIGEN_ALWAYS_INLINE Integers byte_integers(std::uint8_t const* from) {
  return _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<__m128i const*>(from)));
}
EIGEN_ALWAYS_INLINE Integers byte_integers(std::int8_t const* from) {
  return _mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<__m128i const*>(from)));
}
template <int shift>
EIGEN_ALWAYS_INLINE Integers shifted(Integers x) {
  return shift > 0 ? _mm512_srli_epi32(x, shift) : x;
}
EIGEN_ALWAYS_INLINE Register<float> floats(Integers x) { return _mm512_cvtepi32_ps(x); }
/// Of each lane of `x`, whose lowest four bits are q: scale · q + shift, looked up among the 16 that there can be.
EIGEN_ALWAYS_INLINE Register<float> scaled_nibbles(Integers x, float scale, float shift) {
  Register<float> const q = _mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  return _mm512_permutexvar_ps(x, Eigen::internal::pmadd(q, broadcast(scale), broadcast(shift)));
}
#elif defined(EIGEN_VECTORIZE_AVX2)
inline constexpr bool has_integers = true;
using Integers = __m256i;
EIGEN_ALWAYS_INLINE Integers byte_integers(std::uint8_t const* from) {
  return _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<__m128i const*>(from)));
}
EIGEN_ALWAYS_INLINE Integers byte_integers(std::int8_t const* from) {
  return _mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<__m128i const*>(from)));
}
template <int shift>
EIGEN_ALWAYS_INLINE Integers shifted(Integers x) {
  return shift > 0 ? _mm256_srli_epi32(x, shift) : x;
}
EIGEN_ALWAYS_INLINE Register<float> floats(Integers x) { return _mm256_cvtepi32_ps(x); }
/// Of each lane of `x`, whose lowest four bits are q: scale · q + shift.
EIGEN_ALWAYS_INLINE Register<float> scaled_nibbles(Integers x, float scale, float shift) {
  return Eigen::internal::pmadd(floats(_mm256_and_si256(x, _mm256_set1_epi32(15))), broadcast(scale), broadcast(shift));
}
#else
inline constexpr bool has_integers = false;
#endif

using Eigen::internal::padd;        // a + b
using Eigen::internal::pmadd;       // a · b + c
using Eigen::internal::pmax;        // the greater, by lanes
using Eigen::internal::pmul;        // a · b
using Eigen::internal::predux;      // Σ of the lanes
using Eigen::internal::predux_max;  // the greatest lane
using Eigen::internal::psub;        // a − b

#if defined(__GNUC__)
#pragma GCC diagnostic push
// Of a register as an argument, g++ ignores the alignment, which its type has.
#pragma GCC diagnostic ignored "-Wignored-attributes"
#endif

/// As many registers as each has scalars: a square, whose row i is `packet[i]`.
template <class Scalar>
struct Square : Eigen::internal::PacketBlock<Register<Scalar>, static_cast<int>(size<Scalar>)> {};

template <class Scalar>
EIGEN_ALWAYS_INLINE void transpose(Square<Scalar>& square) {
  Eigen::internal::PacketBlock<Register<Scalar>, static_cast<int>(size<Scalar>)>& block = square;
  Eigen::internal::ptranspose(block);
}

#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

/// e^x; by the standard library where Eigen has none for the scalar.
template <class Scalar>
EIGEN_ALWAYS_INLINE Register<Scalar> exp(Register<Scalar> const& x) {
  if constexpr (Eigen::internal::packet_traits<Scalar>::HasExp) {
    return Eigen::internal::pexp(x);
  } else {
    std::array<Scalar, static_cast<std::size_t>(size<Scalar>)> values;
    store(values.data(), x);
    for (Scalar& value : values) value = std::exp(value);
    return load(values.data());
  }
}

}  // namespace graft::kernels::cpu::simd
