/// @file
/// @brief Dropout whose mask is a function of random keys, one a token, so that neither is stored.
#pragma once

#include <cstdint>

#include <graft/core/random.hpp>
#include <graft/kernels/on.hpp>

namespace graft::kernels {

/// Packed rows whose tokens have keys: that of token t in row r is `token_key(key, addresses[r], t - offsets[r])`.
template <class Device>
struct KeyedRows {
  Pointer<Device, Index const>
      offsets;  ///< `[count + 1]`: row r holds the tokens [offsets[r], offsets[r + 1]); from 0 on
  Pointer<Device, std::uint64_t const> addresses;  ///< `[count]`
  Index count;                                     ///< rows
  Index tokens;                                    ///< of all rows
  RandomKey key;                                   ///< of the place in the model
};
/// The key of the token at place `i` of the row with this address.
[[nodiscard]] GRAFT_HOST_DEVICE constexpr RandomKey token_key(RandomKey key, std::uint64_t address, Index i) {
  return key.with(address).with(static_cast<std::uint64_t>(i));
}

template <class Device, class Scalar>
struct Dropout {
  static_assert(implemented<Device>, "the kernel Dropout does not exist for this device yet");
  using In = Pointer<Device, Scalar const>;
  using Out = Pointer<Device, Scalar>;

  /// y_ij = x_ij · factor where the 32 random bits at column j of token i's key are at least `threshold`, else 0; x and
  /// y are `[rows.tokens, width]`; y may be x. Each 64 bits of a key serve two columns that lie 32 apart.
  static void dropout(In x, KeyedRows<Device> const& rows, std::uint32_t threshold, Scalar factor, Index width, Out y);
};

/// The same on a GPU.
template <class Scalar>
struct Dropout<Cuda, Scalar> {
  /// As for every device.
  static void dropout(DevicePointer<Scalar const> x, KeyedRows<Cuda> const& rows, std::uint32_t threshold,
                      Scalar factor, Index width, DevicePointer<Scalar> y);
};

}  // namespace graft::kernels

#if !defined(GRAFT_COMPILED) && !defined(__CUDACC__)
#include <graft/kernels/cpu/dropout.hpp>
#endif
