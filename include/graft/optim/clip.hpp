/// @file
/// @brief Clipping of gradients by their global norm.
#pragma once

#include <algorithm>
#include <type_traits>
#include <utility>
#include <vector>

#include <graft/kernels/sum.hpp>
#include <graft/kernels/sum_squares.hpp>
#include <graft/kernels/widen.hpp>
#include <graft/optim/optimizer.hpp>

namespace graft {

/// The norm of a step's gradients and what clipping multiplies them by, on the device: nothing has waited for it.
template <class Device>
struct GradientNorm {
  Tensor<double, Device> norm, coefficient;  ///< a number each

  /// The norm, for the host: waits for the device.
  [[nodiscard]] double value() const { return *downloaded(norm).data(); }
};

/// ‖g‖₂ over all gradients together, in double, and `clip_coefficient` of it; the same bits for any number of threads.
/// The norm is NaN or infinite if an element is, and the coefficient then NaN: an optimizer's step on a GPU, before
/// which nobody has looked at the norm, changes nothing for it.
template <class Scalar, class Device>
[[nodiscard]] GradientNorm<Device> measure_gradients(ParameterList<Scalar, Device> const& parameters,
                                                     double max_norm = 0.0) {
  using Kernel = kernels::On<Device, kernels::SumSquares, Scalar>;
  Tensor<double, Device> squares(Shape{static_cast<Index>(parameters.size())});
  std::vector<typename Kernel::Array> gradients;
  gradients.reserve(parameters.size());
  for (auto const* parameter : parameters)
    if (parameter->has_gradient()) gradients.push_back({parameter->gradient().data(), parameter->gradient().size()});
  Kernel::sum_squares(gradients, squares.data());
  GradientNorm<Device> result{Tensor<double, Device>(Shape{}), Tensor<double, Device>(Shape{})};
  Kernel::clip(squares.data(), static_cast<Index>(gradients.size()), max_norm, result.norm.data(),
               result.coefficient.data());
  return result;
}

/// ‖g‖₂ of `measure_gradients` as a number of the host's.
template <class Scalar, class Device>
[[nodiscard]] double gradient_norm(ParameterList<Scalar, Device> const& parameters) {
  return measure_gradients(parameters).value();
}

/// What gradients of this norm are multiplied by: min(1, max_norm / (norm + 1e-6)), as torch.nn.utils.clip_grad_norm_
/// has it (Pascanu et al. 2013, "On the difficulty of training recurrent neural networks"). `max_norm` of 0 stands for
/// no clipping.
[[nodiscard]] inline double clip_coefficient(double norm, double max_norm) {
  return max_norm > 0.0 ? std::min(1.0, max_norm / (norm + 1e-6)) : 1.0;
}

/// Scales all gradients so that their global norm is at most `max_norm`, and returns the norm they had.
/// `Optimizer::step` takes the coefficient directly and saves this pass. A scaled gradient gets storage of its own:
/// parameters that were added to each other share one.
template <class Scalar, class Device>
GradientNorm<Device> clip_gradients(ParameterList<Scalar, Device> const& parameters, double max_norm) {
  auto result = measure_gradients(parameters, max_norm);
  if (!(max_norm > 0.0)) return result;
  if constexpr (std::is_same_v<Device, Cpu>)
    if (*result.coefficient.data() == 1.0) return result;
  Tensor<Scalar, Device> coefficient(Shape{});
  kernels::On<Device, kernels::Widen, Scalar>::widen(result.coefficient.data(), coefficient.data(), 1);
  for (auto* parameter : parameters) {
    if (!parameter->has_gradient()) continue;
    Tensor<Scalar, Device> scaled(parameter->gradient().shape());
    kernels::On<Device, kernels::Sum, Scalar>::scale_by(parameter->gradient().data(), coefficient.data(), scaled.data(),
                                                        scaled.size());
    parameter->clear_gradient();
    parameter->variable().slot()->accumulate(std::move(scaled));
  }
  return result;
}
/// The same; the norm is a number of the host's.
template <class Scalar, class Device>
double clip_gradient_norm(ParameterList<Scalar, Device> const& parameters, double max_norm) {
  return clip_gradients(parameters, max_norm).value();
}

}  // namespace graft
