/// @file
/// @brief Sums on the host: chunks of 4096 elements summed in lanes, the chunks' sums added in pairs.
#pragma once

#include <vector>

#include <graft/kernels/cpu/loop.hpp>
#include <graft/kernels/sum.hpp>

namespace graft::kernels {

namespace cpu {

/// Σ f(i) over [0, size) on the pool; rounding error grows with the logarithm of the number of chunks.
template <class Scalar, class F>
[[nodiscard]] Scalar pairwise_sum(Index size, F const& f) {
  constexpr Index chunk = 4096;
  if (size <= chunk) return lane_sum<Scalar>(size, f);
  std::vector<Scalar> parts(static_cast<std::size_t>((size + chunk - 1) / chunk));
  parallel_chunks(size, chunk, [&](Index first, Index last) {
    parts[static_cast<std::size_t>(first / chunk)] = lane_sum<Scalar>(last - first, [&](Index i) { return f(first + i); });
  });
  for (std::size_t step = 1; step < parts.size(); step *= 2)
    for (std::size_t i = 0; i + step < parts.size(); i += 2 * step) parts[i] += parts[i + step];
  return parts[0];
}

}  // namespace cpu

template <class Scalar>
void sum(Cpu, Scalar const* x, Index size, Scalar* result) {
  *result = cpu::pairwise_sum<Scalar>(size, [=](Index i) { return x[i]; });
}
template <class Scalar>
void dot(Cpu, Scalar const* a, Scalar const* b, Index size, Scalar* result) {
  *result = cpu::pairwise_sum<Scalar>(size, [=](Index i) { return a[i] * b[i]; });
}
template <class Scalar>
void squared_distance(Cpu, Scalar const* a, Scalar const* b, Scalar factor, Index size, Scalar* result) {
  *result = factor * cpu::pairwise_sum<Scalar>(size, [=](Index i) { return (a[i] - b[i]) * (a[i] - b[i]); });
}
template <class Scalar>
void broadcast(Cpu, Scalar const* d, Scalar* y, Index size) {
  cpu::map_chunks(y, size, [value = *d](Index) { return value; });
}
template <class Scalar>
void scale_by(Cpu, Scalar const* a, Scalar const* d, Scalar* y, Index size) {
  cpu::map_chunks(y, size, [value = *d, a](Index i) { return value * a[i]; });
}
template <class Scalar>
void scaled_difference(Cpu, Scalar const* a, Scalar const* b, Scalar const* d, Scalar factor, Scalar* y, Index size) {
  cpu::map_chunks(y, size, [value = *d * factor, a, b](Index i) { return value * (a[i] - b[i]); });
}

}  // namespace graft::kernels
