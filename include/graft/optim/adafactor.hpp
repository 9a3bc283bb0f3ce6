/// @file
/// @brief Adafactor: adaptive learning rates in sublinear memory (Shazeer & Stern 2018).
#pragma once

#include <algorithm>
#include <cmath>
#include <utility>

#include <graft/kernels/adafactor.hpp>
#include <graft/kernels/sum_squares.hpp>
#include <graft/optim/optimizer.hpp>

namespace graft {

/// Settings of Adafactor. The defaults are those of prompt tuning (Lester et al. 2021), which has a constant learning
/// rate of 0.3, a weight decay of 1e-5 and 30,000 steps; the paper's own are `scale_parameter` and `relative_step`.
struct AdafactorSettings {
  double decay = 0.8;            ///< second moments keep a share of 1 − t^(−decay)
  double clip_threshold = 1.0;   ///< largest root mean square of an update, before the learning rate
  double beta1 = 0.0;            ///< of the first moment; 0: none is kept
  double epsilon1 = 1e-30;       ///< added to squared gradients
  double epsilon2 = 1e-3;        ///< least scale of a parameter, with `scale_parameter`
  double weight_decay = 0.0;     ///< λ
  bool scale_parameter = false;  ///< multiply the learning rate by the parameter's root mean square
  bool relative_step = false;    ///< a learning rate of min(10⁻², 1/√t) in place of the given one
  bool warmup_init = false;      ///< with `relative_step`: min(10⁻⁶·t, 1/√t)
};

/// θ ← θ − α·λ·θ − α·u / max(1, RMS(u)/clip_threshold) with u = g/√v̂, in the order of operations of
/// transformers.optimization.Adafactor. Of a matrix v̂ is kept as means of its rows and columns ("exp_avg_sq_row",
/// "exp_avg_sq_col"), of a vector whole ("exp_avg_sq"); "exp_avg" with β₁ alone.
template <class Scalar, class Device = Cpu>
class Adafactor final : public Optimizer<Scalar, Device> {
 public:
  /// @throws ConfigError for settings out of range
  explicit Adafactor(ParameterList<Scalar, Device> parameters, AdafactorSettings settings = {})
      : Optimizer<Scalar, Device>(std::move(parameters)), settings_(settings) {
    check(settings);
  }

  /// @throws ConfigError naming the first setting that is out of range
  static void check(AdafactorSettings const& s) {
    auto const in = [](char const* name, double value, double limit) {
      if (!(value >= 0.0 && value < limit))
        fail<ConfigError>("[adafactor] got ", name, " ", value, "; expected 0 or more and below ", limit);
    };
    in("decay", s.decay, HUGE_VAL), in("beta1", s.beta1, 1.0), in("epsilon1", s.epsilon1, 1.0),
        in("epsilon2", s.epsilon2, HUGE_VAL), in("weight_decay", s.weight_decay, HUGE_VAL);
    if (!(s.clip_threshold > 0.0))
      fail<ConfigError>("[adafactor] got clip_threshold ", s.clip_threshold, "; expected more than 0");
    if (s.warmup_init && !s.relative_step)
      fail<ConfigError>("[adafactor] got warmup_init without relative_step; expected both, or neither");
  }

 private:
  using typename Optimizer<Scalar, Device>::Values;
  using Tensors = Tensor<Scalar, Device>;

  static Tensors zeros(Index size) {
    Tensors zero(Shape{size});
    kernels::On<Device, kernels::Elementwise, Scalar>::fill(zero.data(), Scalar(0), size);
    return zero;
  }
  /// Σ x², on the device.
  static Tensor<double, Device> squares(Tensors const& x) {
    Tensor<double, Device> sum(Shape{});
    kernels::On<Device, kernels::SumSquares, Scalar>::sum_squares(x.data(), x.size(), sum.data());
    return sum;
  }

  Values initial_values(Parameter<Scalar, Device> const& parameter) const override {
    Values values;
    auto const& value = parameter.value();
    if (value.shape().rank() == 2) {
      values = {{"exp_avg_sq_row", zeros(value.shape()[0])}, {"exp_avg_sq_col", zeros(value.shape()[1])}};
    } else {
      values = {{"exp_avg_sq", this->zeros_like(parameter)}};
    }
    if (settings_.beta1 > 0) values.emplace("exp_avg", this->zeros_like(parameter));
    return values;
  }
  void update(Parameter<Scalar, Device>& parameter, ParameterState<Scalar, Device>& state, double learning_rate,
              Pointer<Device, double const> gradient_scale) override {
    auto const t = static_cast<double>(state.steps);
    auto value = parameter.mutable_value();
    auto const& gradient = parameter.gradient();
    double rate = learning_rate;
    if (settings_.relative_step) rate = std::min(settings_.warmup_init ? 1e-6 * t : 1e-2, 1.0 / std::sqrt(t));
    auto const of_parameter = settings_.scale_parameter ? squares(value) : Tensor<double, Device>();
    kernels::AdafactorFactors<Device> const factors{1.0 - std::pow(t, -settings_.decay), settings_.epsilon1,
                                                    gradient_scale};
    Tensors step(value.shape());
    if (value.shape().rank() == 2) {
      Index const rows = value.shape()[0], width = value.shape()[1];
      auto& row = state.values.at("exp_avg_sq_row");
      auto& column = state.values.at("exp_avg_sq_col");
      kernels::On<Device, kernels::Adafactor, Scalar>::adafactor_moments(gradient.data(), rows, width, factors,
                                                                         row.data(), column.data());
      kernels::On<Device, kernels::Adafactor, Scalar>::adafactor_update(gradient.data(), row.data(), column.data(),
                                                                        rows, width, factors, step.data());
    } else {
      kernels::On<Device, kernels::Adafactor, Scalar>::adafactor_vector(
          gradient.data(), value.size(), factors, state.values.at("exp_avg_sq").data(), step.data());
    }
    auto const of_update = squares(step);
    Pointer<Device, Scalar> const first = settings_.beta1 > 0 ? state.values.at("exp_avg").data() : nullptr;
    kernels::On<Device, kernels::Adafactor, Scalar>::adafactor_apply(
        value.data(), step.data(), first, value.size(),
        {rate, of_parameter.data(), of_update.data(), settings_.epsilon2, settings_.clip_threshold, settings_.beta1,
         settings_.weight_decay});
  }

  AdafactorSettings settings_;
};

}  // namespace graft
