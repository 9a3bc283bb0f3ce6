/// @file
/// @brief Rows copied from, and added to, chosen places. A null array of places stands for 0, 1, 2, ….
#pragma once

#include <graft/core/precision.hpp>
#include <graft/kernels/on.hpp>
#include <graft/kernels/strided.hpp>

namespace graft::kernels {

template <class Device, class Scalar>
struct Gather {
  static_assert(implemented<Device>, "the kernel Gather does not exist for this device yet");
  static constexpr bool narrow = true;
  using In = Pointer<Device, Scalar const>;
  using Out = Pointer<Device, Scalar>;

  /// y[to[k]] = x[from[k]] for k in [0, count); `to` has no repetitions.
  static void copy_rows(In x, Pointer<Device, Index const> from, Out y, Pointer<Device, Index const> to, Index count,
                        Index width);
  /// The same of matrices that are columns of wider ones.
  static void copy_columns(Strided<Scalar const, Device> x, Pointer<Device, Index const> from,
                           Strided<Scalar, Device> y, Pointer<Device, Index const> to, Index count, Index width);
  /// y[to[k]] += x[from[k]], for equal targets in the order of k. `distinct` promises that `to` has no repetitions.
  static void add_rows(In x, Pointer<Device, Index const> from, Pointer<Device, SumOf<Scalar>> y,
                       Pointer<Device, Index const> to, bool distinct, Index count, Index width);
};

/// The same on a GPU.
template <class Scalar>
struct Gather<Cuda, Scalar> {
  static constexpr bool narrow = true;
  using In = DevicePointer<Scalar const>;
  using Out = DevicePointer<Scalar>;
  using Places = DevicePointer<Index const>;

  static void copy_rows(In x, Places from, Out y, Places to, Index count, Index width);
  static void copy_columns(Strided<Scalar const, Cuda> x, Places from, Strided<Scalar, Cuda> y, Places to, Index count,
                           Index width);
  static void add_rows(In x, Places from, DevicePointer<SumOf<Scalar>> y, Places to, bool distinct, Index count,
                       Index width);
};

}  // namespace graft::kernels

#if !defined(GRAFT_COMPILED) && !defined(__CUDACC__)
#include <graft/kernels/cpu/gather.hpp>
#endif
