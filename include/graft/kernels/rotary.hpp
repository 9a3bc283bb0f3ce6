/// @file
/// @brief Rotary position embeddings: each head's vector is rotated by angles that grow with the position.
#pragma once

#include <graft/core/precision.hpp>
#include <graft/kernels/on.hpp>

namespace graft::kernels {

template <class Device, class Scalar>
struct Rotary {
  static_assert(implemented<Device>, "the kernel Rotary does not exist for this device yet");
  using In = Pointer<Device, Scalar const>;
  using Out = Pointer<Device, Scalar>;

  /// Rows [first, last) of the table: row p is cos(p·f_0) … cos(p·f_{half-1}), sin(p·f_0) … sin(p·f_{half-1}), computed
  /// in double.
  static void rotary_table(Pointer<Device, double const> frequencies, Index half, Index first, Index last, Out table);
  /// For every token t and head: (y_j, y_{j+half}) = (x_j, x_{j+half}) rotated by ±angle, j in [0, half); the rest of
  /// the head is copied. x is [tokens, heads, head_width]; `direction` is 1, or -1 to rotate back; y may be x.
  static void rotate(In x, Pointer<Device, SumOf<Scalar> const> table, Pointer<Device, Index const> positions,
                     SumOf<Scalar> direction, Index tokens, Index heads, Index head_width, Index half, Out y);
};

/// The same on a GPU.
template <class Scalar>
struct Rotary<Cuda, Scalar> {
  static constexpr bool narrow = true;
  using In = DevicePointer<Scalar const>;
  using Out = DevicePointer<Scalar>;

  /// As for every device.
  static void rotary_table(DevicePointer<double const> frequencies, Index half, Index first, Index last, Out table);
  /// As for every device.
  static void rotate(In x, DevicePointer<SumOf<Scalar> const> table, DevicePointer<Index const> positions,
                     SumOf<Scalar> direction, Index tokens, Index heads, Index head_width, Index half, Out y);
};

}  // namespace graft::kernels

#if !defined(GRAFT_COMPILED) && !defined(__CUDACC__)
#include <graft/kernels/cpu/rotary.hpp>
#endif
#ifndef __CUDACC__
#include <graft/kernels/bfloat16/rotary.hpp>
#endif
