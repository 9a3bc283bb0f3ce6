/// @file
/// @brief Numbers of one format as numbers of another.
#pragma once

#include <graft/core/precision.hpp>
#include <graft/kernels/on.hpp>
#include <graft/kernels/strided.hpp>

namespace graft::kernels {

/// Between numbers of the type `Narrow` and those of the type that they are summed in.
template <class Device, class Narrow>
struct Cast {
  static constexpr bool narrow = true;
  using In = Pointer<Device, Narrow const>;
  using Out = Pointer<Device, Narrow>;
  using SumIn = Pointer<Device, SumOf<Narrow> const>;  ///< of wide numbers
  using SumOut = Pointer<Device, SumOf<Narrow>>;

  /// y_i = x_i, exact.
  static void widen(In x, SumOut y, Index size);
  /// y_i = x_i, rounded to nearest even.
  static void round(SumIn x, Out y, Index size);
  /// y_ij = x_ij, rounded to nearest even; y has no gaps.
  static void round_columns(Strided<SumOf<Narrow> const, Device> x, Index rows, Index width, Out y);
  /// y_ij += x_ij; x has no gaps.
  static void add_to_columns(In x, Index rows, Index width, Strided<SumOf<Narrow>, Device> y);
};

}  // namespace graft::kernels

#if !defined(GRAFT_COMPILED) && !defined(__CUDACC__)
#include <graft/kernels/cpu/cast.hpp>
#endif
