/// @file
/// @brief Elementwise loops on the host, cut into chunks for the thread pool.
#pragma once

#include <graft/core/thread_pool.hpp>
#include <graft/kernels/elementwise.hpp>

namespace graft::kernels {

namespace cpu {
/// Elements a chunk holds: large enough to be worth a thread, small enough to balance.
inline constexpr Index chunk_elements = 16384;

/// `f(i)` for i in [0, size).
template <class F>
void each(Index size, F const& f) {
  parallel_chunks(size, chunk_elements, [&](Index first, Index last) {
    for (Index i = first; i < last; ++i) f(i);
  });
}
}  // namespace cpu

template <class Scalar>
void fill(Cpu, Scalar* y, Scalar value, Index size) {
  cpu::each(size, [=](Index i) { y[i] = value; });
}
template <class Scalar>
void add(Cpu, Scalar const* a, Scalar const* b, Scalar* y, Index size) {
  cpu::each(size, [=](Index i) { y[i] = a[i] + b[i]; });
}
template <class Scalar>
void scale(Cpu, Scalar const* a, Scalar factor, Scalar* y, Index size) {
  cpu::each(size, [=](Index i) { y[i] = factor * a[i]; });
}
template <class Scalar>
void multiply(Cpu, Scalar const* a, Scalar const* b, Scalar* y, Index size) {
  cpu::each(size, [=](Index i) { y[i] = a[i] * b[i]; });
}
template <class Scalar>
void add_scaled(Cpu, Scalar const* a, Scalar factor, Scalar* y, Index size) {
  cpu::each(size, [=](Index i) { y[i] += factor * a[i]; });
}

}  // namespace graft::kernels
