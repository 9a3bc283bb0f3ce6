/// @file
/// @brief Layer norm and RMS norm. Keeps the input and a number or two a row; the normalised values are recomputed.
#pragma once

#include <utility>

#include <graft/autograd/trainable.hpp>
#include <graft/kernels/bias.hpp>
#include <graft/kernels/norm.hpp>
#include <graft/ops/storage.hpp>
#include <graft/tensor/rounding.hpp>

namespace graft {

namespace detail {

/// Accepts an empty weight: no gain or no bias.
template <class Scalar, class Device>
void check_norm_weight(char const* op, char const* what, Tensor<Scalar, Device> const& weight, Index width) {
  if (!weight.empty() && weight.size() != width)
    fail<ShapeError>("[", op, "] got a ", what, " of ", weight.size(), " elements; expected the input's width ", width);
}

/// Both norms; `op` is for messages, without `centred` the mean counts as 0.
template <class Scalar, class Device, class Gain, class Bias>
Variable<Scalar, Device> norm(char const* op, bool centred, Variable<Scalar, Device> const& x, Gain const& gain,
                              Bias const& bias, double epsilon) {
  using Values = Tensor<Scalar, Device>;
  using Sums = Tensor<SumOf<Scalar>, Device>;
  Index const rows = x.rows(), width = x.width();
  if (x.shape().rank() < 2)
    fail<ShapeError>("[", op, "] got an input of shape ", x.shape(), "; expected [tokens, width]");
  check_norm_weight(op, "gain", value_of(gain), width);
  check_norm_weight(op, "bias", value_of(bias), width);
  Values y(x.shape());
  Sums mean, inverse(Shape{rows});
  if (centred) mean = Sums(Shape{rows});
  kernels::On<Device, kernels::Norm, Scalar>::norm(x.value().data(), value_of(gain).data(), value_of(bias).data(),
                                                   static_cast<SumOf<Scalar>>(epsilon), rows, width, y.data(),
                                                   mean.data(), inverse.data());
  if (!needs_gradient(x, gain, bias)) return y;

  auto reverse = [rows, width, gain, bias, mean, inverse, slot = x.slot(), input = x.value()](Values const& dy) {
    if constexpr (is_trainable<Gain>) {
      if (gain.tracked()) {
        Sums dgain(gain.shape());
        kernels::On<Device, kernels::Norm, Scalar>::norm_gain_gradient(input.data(), mean.data(), inverse.data(),
                                                                       dy.data(), rows, width, dgain.data());
        gain.slot()->accumulate(std::move(dgain));
      }
    }
    if constexpr (is_trainable<Bias>) {
      if (bias.tracked()) {
        Sums dbias(bias.shape());
        kernels::On<Device, kernels::Bias, Scalar>::sum_rows(dy.data(), rows, width, dbias.data());
        bias.slot()->accumulate(std::move(dbias));
      }
    }
    if (slot) {
      Values dx = recycled(dy);
      kernels::On<Device, kernels::Norm, Scalar>::norm_backward(
          input.data(), mean.data(), inverse.data(), value_of(gain).data(), dy.data(), rows, width, dx.data());
      slot->accumulate(std::move(dx));
    }
  };
  return record(std::move(y), std::move(reverse));
}
#ifdef GRAFT_COMPILED
extern template Variable<float> norm(char const*, bool, Variable<float> const&, Tensor<float> const&,
                                     Tensor<float> const&, double);
extern template Variable<double> norm(char const*, bool, Variable<double> const&, Tensor<double> const&,
                                      Tensor<double> const&, double);
#endif

}  // namespace detail

/// (x - mean)/√(variance + epsilon) ∘ gain + bias over each row of x [tokens, width] (Ba, Kiros & Hinton 2016); the
/// variance is the biased one. With x̂ the normalised row and g = dy ∘ gain: dx = (g - mean(g) - x̂·mean(g ∘
/// x̂))/√(variance + epsilon), dgain = Σ dy ∘ x̂, dbias = Σ dy. Gain and bias [width] are frozen as a `Tensor`, may be
/// trained as a `Variable`, and are left out when empty. Of x in bfloat16, the statistics, gain and bias and their
/// gradients are float32.
/// @throws ShapeError if x has no rows and columns or a weight does not have its width.
template <class Scalar, class Device, class Gain, class Bias>
[[nodiscard]] Variable<Scalar, Device> layer_norm(Variable<Scalar, Device> const& x, Gain const& gain, Bias const& bias,
                                                  double epsilon) {
  return detail::norm("layer_norm", true, x, gain, bias, epsilon);
}

/// x/√(mean(x²) + epsilon) ∘ gain over each row of x [tokens, width] (Zhang & Sennrich 2019). Gain and errors as in
/// `layer_norm`.
template <class Scalar, class Device, class Gain>
[[nodiscard]] Variable<Scalar, Device> rms_norm(Variable<Scalar, Device> const& x, Gain const& gain, double epsilon) {
  return detail::norm("rms_norm", false, x, gain, Tensor<SumOf<Scalar>, Device>(), epsilon);
}

}  // namespace graft
