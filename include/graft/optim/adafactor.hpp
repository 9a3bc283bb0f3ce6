/// @file
/// @brief Adafactor: adaptive learning rates in sublinear memory (Shazeer & Stern 2018).
#pragma once

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include <graft/kernels/adafactor.hpp>
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

  static Tensor<Scalar, Device> zeros(Index size) {
    Tensor<Scalar, Device> zero(Shape{size});
    kernels::On<Device, kernels::Elementwise, Scalar>::fill(zero.data(), Scalar(0), size);
    return zero;
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
  using typename Optimizer<Scalar, Device>::Moving;
  using Kernel = kernels::On<Device, kernels::Adafactor, Scalar>;
  using Update = typename kernels::Adafactor<Device, Scalar>::Update;

  [[nodiscard]] Update update_of(Parameter<Scalar, Device>& parameter, ParameterState<Scalar, Device>& state,
                                 double learning_rate) const {
    auto const t = static_cast<double>(state.steps);
    double rate = learning_rate;
    if (settings_.relative_step) rate = std::min(settings_.warmup_init ? 1e-6 * t : 1e-2, 1.0 / std::sqrt(t));
    auto value = parameter.mutable_value();
    bool const matrix = value.shape().rank() == 2;
    auto const kept = [&state](char const* name, bool has) {
      return has ? state.values.at(name).data() : Pointer<Device, Scalar>(nullptr);
    };
    return {value.data(),
            parameter.gradient().data(),
            kept("exp_avg_sq_row", matrix),
            kept("exp_avg_sq_col", matrix),
            kept("exp_avg_sq", !matrix),
            kept("exp_avg", settings_.beta1 > 0),
            matrix ? value.shape()[0] : 1,
            matrix ? value.shape()[1] : value.size(),
            1.0 - std::pow(t, -settings_.decay),
            rate};
  }
  void update_all(std::vector<Moving> const& moving, double learning_rate,
                  Pointer<Device, double const> gradient_scale) override {
    std::vector<Update> updates;
    updates.reserve(moving.size());
    for (auto const& [parameter, state] : moving) updates.push_back(update_of(*parameter, *state, learning_rate));
    Kernel::adafactor(updates,
                      {settings_.epsilon1, settings_.epsilon2, settings_.clip_threshold, settings_.beta1,
                       settings_.weight_decay, settings_.scale_parameter},
                      gradient_scale);
  }
  void update(Parameter<Scalar, Device>& parameter, ParameterState<Scalar, Device>& state, double learning_rate,
              Pointer<Device, double const> gradient_scale) override {
    update_all({{&parameter, &state}}, learning_rate, gradient_scale);
  }

  AdafactorSettings settings_;
};

}  // namespace graft
