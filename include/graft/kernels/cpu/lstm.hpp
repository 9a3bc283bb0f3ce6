/// @file
/// @brief A step of an LSTM on the host, on one thread: its products are larger.
#pragma once

#include <graft/core/profile.hpp>
#include <graft/kernels/cpu/loops.hpp>
#include <graft/kernels/generic/lstm_gradient.hpp>
#include <graft/kernels/lstm.hpp>

namespace graft::kernels {

template <class Device, class Scalar>
void Lstm<Device, Scalar>::lstm_step(Out gates, In previous, Index hidden, Out cell, Out output) {
  KernelTimer const timer("lstm");
  auto const sigmoid = [](Scalar x) { return Scalar(1) / (Scalar(1) + cpu::fast_exp(-x)); };
  cpu::map_here(gates, 2 * hidden, [=](Index j) { return sigmoid(gates[j]); });
  cpu::map_here(gates + 2 * hidden, hidden, [=, g = gates + 2 * hidden](Index j) { return cpu::fast_tanh(g[j]); });
  cpu::map_here(gates + 3 * hidden, hidden, [=, o = gates + 3 * hidden](Index j) { return sigmoid(o[j]); });
  Scalar const *const i = gates, *const f = gates + hidden, *const g = gates + 2 * hidden,
                      *const o = gates + 3 * hidden;
  if (previous)
    cpu::map_here(cell, hidden, [=](Index j) { return f[j] * previous[j] + i[j] * g[j]; });
  else
    cpu::map_here(cell, hidden, [=](Index j) { return i[j] * g[j]; });
  cpu::map_here(output, hidden, [=](Index j) { return o[j] * cpu::fast_tanh(cell[j]); });
}

template <class Device, class Scalar>
void Lstm<Device, Scalar>::lstm_step_backward(In gates, In previous, In cell, In doutput, In carried, Index hidden,
                                              Out dcell, Out dgates) {
  KernelTimer const timer("lstm, reverse");
  generic::LstmGradient<Loops<Cpu>::Math, Scalar> const element{gates,   previous, cell,  doutput,
                                                                carried, hidden,   dcell, dgates};
  for (Index j = 0; j < hidden; ++j) element(j);
}

}  // namespace graft::kernels
