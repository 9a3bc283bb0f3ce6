/// @file
/// @brief Scaling of columns and rows on the host.
#pragma once

#include <graft/kernels/cpu/loop.hpp>
#include <graft/kernels/scale_columns.hpp>

namespace graft::kernels {

template <class Device, class Scalar>
void ScaleColumns<Device, Scalar>::scale_columns(In x, In gain, Index rows, Index width, Out y) {
  parallel_chunks(rows, rows_per_chunk(width), [=](Index first, Index last) {
    for (Index i = first; i < last; ++i) {
      Scalar const* const from = x + i * width;
      cpu::map_here(y + i * width, width, [=](Index j) { return from[j] * gain[j]; });
    }
  });
}

template <class Device, class Scalar>
void ScaleColumns<Device, Scalar>::scale_rows(In x, In gain, Index rows, Index width, Out y) {
  parallel_chunks(rows, rows_per_chunk(width), [=](Index first, Index last) {
    for (Index i = first; i < last; ++i) {
      Scalar const* const from = x + i * width;
      cpu::map_here(y + i * width, width, [=, times = gain[i]](Index j) { return from[j] * times; });
    }
  });
}

template <class Device, class Scalar>
void ScaleColumns<Device, Scalar>::scale_columns_gain_gradient(In x, In dy, Index rows, Index width, Out dgain) {
  cpu::sum_rows(rows, width, dgain, [=](Index i, Index j) { return dy[i * width + j] * x[i * width + j]; });
}

}  // namespace graft::kernels
