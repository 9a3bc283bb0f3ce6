/// @file
/// @brief Conversion loops on the host.
#pragma once

#include <graft/core/dtype.hpp>
#include <graft/kernels/cpu/elementwise.hpp>
#include <graft/kernels/widen.hpp>

namespace graft::kernels {

template <class From, class To>
void widen(Cpu, From const* x, To* y, Index size) {
  cpu::each(size, [=](Index i) {
    if constexpr (std::is_arithmetic_v<From>)
      y[i] = static_cast<To>(x[i]);
    else
      y[i] = static_cast<To>(static_cast<float>(x[i]));
  });
}

}  // namespace graft::kernels
