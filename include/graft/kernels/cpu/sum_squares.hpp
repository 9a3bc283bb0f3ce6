/// @file
/// @brief Σ x² on the host: fixed lanes within fixed chunks, chunks added in order.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include <graft/core/thread_pool.hpp>
#include <graft/kernels/sum_squares.hpp>

namespace graft::kernels {

template <class Scalar>
double sum_squares(Cpu, Scalar const* x, Index size) {
  constexpr Index chunk = 16384, lanes = 8;
  auto const part = [x](Index begin, Index end) {
    std::array<double, lanes> lane{};
    Index i = begin;
    for (; i + lanes <= end; i += lanes)
      for (std::size_t k = 0; k < lanes; ++k) {
        auto const value = static_cast<double>(x[i + static_cast<Index>(k)]);
        lane[k] += value * value;
      }
    for (; i < end; ++i) lane[0] += static_cast<double>(x[i]) * static_cast<double>(x[i]);
    double sum = 0;
    for (double value : lane) sum += value;
    return sum;
  };
  if (size <= chunk) return part(0, size);  // most parameters: nothing to gather
  std::vector<double> sums(static_cast<std::size_t>((size + chunk - 1) / chunk));
  parallel_chunks(size, chunk, [&](Index begin, Index end) { sums[static_cast<std::size_t>(begin / chunk)] = part(begin, end); });
  double total = 0;
  for (double sum : sums) total += sum;
  return total;
}

}  // namespace graft::kernels
