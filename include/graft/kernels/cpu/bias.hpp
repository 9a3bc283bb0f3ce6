/// @file
/// @brief Bias on the host.
#pragma once

#include <graft/kernels/bias.hpp>
#include <graft/kernels/cpu/loop.hpp>

namespace graft::kernels {

template <class Scalar>
void add_bias(Cpu, Scalar const* x, Scalar const* bias, Index rows, Index width, Scalar* y) {
  parallel_chunks(rows, rows_per_chunk(width), [=](Index first, Index last) {
    for (Index i = first; i < last; ++i) {
      Scalar const* const from = x + i * width;
      cpu::map_here(y + i * width, width, [=](Index j) { return from[j] + bias[j]; });
    }
  });
}

template <class Scalar>
void add_to_rows(Cpu, Scalar const* bias, Index rows, Index width, Scalar* y) {
  add_bias(Cpu{}, y, bias, rows, width, y);
}

template <class Scalar>
void sum_rows(Cpu, Scalar const* x, Index rows, Index width, Scalar* y) {
  cpu::sum_rows(rows, width, y, [=](Index i, Index j) { return x[i * width + j]; });
}

}  // namespace graft::kernels
