/// @file
/// @brief A step of an LSTM on a GPU: a thread computes an element's four gates.
#pragma once

#include <cmath>

#include <graft/kernels/cuda/loops.cuh>
#include <graft/kernels/generic/lstm_gradient.hpp>
#include <graft/kernels/lstm.hpp>

namespace graft::kernels {

namespace cuda {
template <class Scalar>
struct LstmStep {
  Scalar* gates;
  Scalar const* previous;
  Index hidden;
  Scalar *cell, *output;

  __device__ static Scalar sigmoid(Scalar x) { return Scalar(1) / (Scalar(1) + std::exp(-x)); }
  __device__ void operator()(Index j) const {
    Scalar const i = sigmoid(gates[j]), f = sigmoid(gates[hidden + j]), g = std::tanh(gates[2 * hidden + j]),
                 o = sigmoid(gates[3 * hidden + j]);
    Scalar const state = previous ? f * previous[j] + i * g : i * g;
    gates[j] = i;
    gates[hidden + j] = f;
    gates[2 * hidden + j] = g;
    gates[3 * hidden + j] = o;
    cell[j] = state;
    output[j] = o * std::tanh(state);
  }
};
}  // namespace cuda

template <class Scalar>
void Lstm<Cuda, Scalar>::lstm_step(Out gates, In previous, Index hidden, Out cell, Out output) {
  cuda::each("lstm_step", hidden,
             cuda::LstmStep<Scalar>{gates.raw(), previous.raw(), hidden, cell.raw(), output.raw()});
}

template <class Scalar>
void Lstm<Cuda, Scalar>::lstm_step_backward(In gates, In previous, In cell, In doutput, In carried, Index hidden,
                                            Out dcell, Out dgates) {
  cuda::each("lstm_step_backward", hidden,
             generic::LstmGradient<Loops<Cuda>::Math, Scalar>{gates.raw(), previous.raw(), cell.raw(), doutput.raw(),
                                                              carried.raw(), hidden, dcell.raw(), dgates.raw()});
}

}  // namespace graft::kernels
