/// @file
/// @brief The operations on whole SIMD registers that kernels write by hand: the one place that knows Eigen's internal
/// packets.
#pragma once

#include <Eigen/Core>
#include <array>
#include <cmath>

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
