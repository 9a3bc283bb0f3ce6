/// @file
/// @brief Clipping of gradients by their global norm.
#pragma once

#include <algorithm>
#include <cmath>
#include <utility>

#include <graft/kernels/sum_squares.hpp>
#include <graft/optim/optimizer.hpp>

namespace graft {

/// ‖g‖₂ over all gradients together, in double; the same bits for any number of threads. NaN or infinite if an element is.
template <class Scalar, class Device>
[[nodiscard]] double gradient_norm(ParameterList<Scalar, Device> const& parameters) {
  double sum = 0;
  for (auto const* parameter : parameters)
    if (parameter->has_gradient())
      sum += kernels::On<Device, kernels::SumSquares, Scalar>::sum_squares(parameter->gradient().data(), parameter->gradient().size());
  return std::sqrt(sum);
}

/// What gradients of this norm are multiplied by: min(1, max_norm / (norm + 1e-6)), as torch.nn.utils.clip_grad_norm_ has it (Pascanu et
/// al. 2013, "On the difficulty of training recurrent neural networks"). `max_norm` of 0 stands for no clipping.
[[nodiscard]] inline double clip_coefficient(double norm, double max_norm) {
  return max_norm > 0.0 ? std::min(1.0, max_norm / (norm + 1e-6)) : 1.0;
}

/// Scales all gradients so that their global norm is at most `max_norm`, and returns the norm they had. `Optimizer::step` takes the
/// coefficient directly and saves this pass. A scaled gradient gets storage of its own: parameters that were added to each other share one.
template <class Scalar, class Device>
double clip_gradient_norm(ParameterList<Scalar, Device> const& parameters, double max_norm) {
  double const norm = gradient_norm(parameters), coefficient = clip_coefficient(norm, max_norm);
  if (coefficient == 1.0) return norm;
  for (auto* parameter : parameters) {
    if (!parameter->has_gradient()) continue;
    Tensor<Scalar, Device> scaled(parameter->gradient().shape());
    kernels::On<Device, kernels::Elementwise, Scalar>::scale(parameter->gradient().data(), static_cast<Scalar>(coefficient), scaled.data(),
                                                             scaled.size());
    parameter->clear_gradient();
    parameter->variable().slot()->accumulate(std::move(scaled));
  }
  return norm;
}

}  // namespace graft
