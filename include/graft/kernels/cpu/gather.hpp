/// @file
/// @brief Gathering and scattering rows on the host.
#pragma once

#include <algorithm>

#include <graft/core/profile.hpp>
#include <graft/kernels/cpu/loop.hpp>
#include <graft/kernels/gather.hpp>

namespace graft::kernels {

template <class Device, class Scalar>
void Gather<Device, Scalar>::copy_rows(In x, Pointer<Device, Index const> from, Out y, Pointer<Device, Index const> to,
                                       Index count, Index width) {
  copy_columns({x, width}, from, {y, width}, to, count, width);
}

template <class Device, class Scalar>
void Gather<Device, Scalar>::copy_columns(Strided<Scalar const, Device> x, Pointer<Device, Index const> from,
                                          Strided<Scalar, Device> y, Pointer<Device, Index const> to, Index count,
                                          Index width) {
  KernelTimer const timer("rows copied", 0, 2.0 * sizeof(Scalar) * static_cast<double>(count * width));
  parallel_chunks(count, rows_per_chunk(width), [=](Index first, Index last) {
    for (Index k = first; k < last; ++k) std::copy_n(x.row(from ? from[k] : k), width, y.row(to ? to[k] : k));
  });
}

/// Repeated targets: the threads share the columns, and each walks all rows in order, so that no sum depends on who
/// computes it.
template <class Device, class Scalar>
void Gather<Device, Scalar>::add_rows(In x, Pointer<Device, Index const> from, Pointer<Device, SumOf<Scalar>> y,
                                      Pointer<Device, Index const> to, bool distinct, Index count, Index width) {
  KernelTimer const timer("rows added", 0, 3.0 * sizeof(Scalar) * static_cast<double>(count * width));
  auto const add = [=](Index k, Index begin, Index end) {
    Scalar const* const source = x + (from ? from[k] : k) * width;
    SumOf<Scalar>* const target = y + (to ? to[k] : k) * width;
    cpu::map_here(target + begin, end - begin,
                  [=](Index j) { return target[begin + j] + static_cast<SumOf<Scalar>>(source[begin + j]); });
  };
  if (distinct || !to) {
    parallel_chunks(count, rows_per_chunk(width), [=](Index first, Index last) {
      for (Index k = first; k < last; ++k) add(k, 0, width);
    });
  } else {
    parallel_chunks(width, std::max<Index>(64, rows_per_chunk(count)), [=](Index begin, Index end) {
      for (Index k = 0; k < count; ++k) add(k, begin, end);
    });
  }
}

}  // namespace graft::kernels
