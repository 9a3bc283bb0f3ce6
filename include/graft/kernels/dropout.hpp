/// @file
/// @brief Dropout whose mask is a function of random keys, one a row, so that it is recomputed, not stored.
#pragma once

#include <cstdint>

#include <graft/core/random.hpp>
#include <graft/kernels/on.hpp>

namespace graft::kernels {

template <class Device, class Scalar>
struct Dropout : HostOnly {
  static_assert(implemented<Device>, "the kernel Dropout does not exist for this device yet");
  using In = Pointer<Device, Scalar const>;
  using Out = Pointer<Device, Scalar>;

  /// y_ij = x_ij · factor where the 32 random bits at column j of keys[i] are at least `threshold`, else 0; y may be x.
  static void dropout(In x, Pointer<Device, RandomKey const> keys, std::uint32_t threshold, Scalar factor, Index rows,
                      Index width, Out y);
};

}  // namespace graft::kernels

#ifndef GRAFT_COMPILED
#include <graft/kernels/cpu/dropout.hpp>
#endif
