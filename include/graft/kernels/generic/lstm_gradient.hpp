/// @file
/// @brief The reverse pass of an LSTM's step, element by element, once for all devices; `Math` has a device's tanh.
#pragma once

#include <graft/core/dtype.hpp>
#include <graft/core/types.hpp>

namespace graft::kernels::generic {

/// What `Lstm::lstm_step_backward` does with element j.
template <class Math, class Scalar>
struct LstmGradient {
  Scalar const *gates, *previous, *cell, *doutput, *carried;
  Index hidden;
  Scalar *dcell, *dgates;

  GRAFT_HOST_DEVICE void operator()(Index j) const {
    Scalar const i = gates[j], f = gates[hidden + j], g = gates[2 * hidden + j], o = gates[3 * hidden + j];
    Scalar const dh = doutput[j] + (carried ? carried[j] : Scalar(0));
    Scalar const squashed = Math::tanh(cell[j]);
    Scalar const dc = dcell[j] + dh * o * (Scalar(1) - squashed * squashed);
    dgates[j] = dc * g * i * (Scalar(1) - i);
    dgates[hidden + j] = (previous ? dc * previous[j] : Scalar(0)) * f * (Scalar(1) - f);
    dgates[2 * hidden + j] = dc * i * (Scalar(1) - g * g);
    dgates[3 * hidden + j] = dh * squashed * o * (Scalar(1) - o);
    dcell[j] = dc * f;
  }
};

}  // namespace graft::kernels::generic
