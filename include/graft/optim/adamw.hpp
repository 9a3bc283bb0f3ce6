/// @file
/// @brief AdamW: Adam with decoupled weight decay.
#pragma once

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include <graft/kernels/adamw.hpp>
#include <graft/optim/optimizer.hpp>

namespace graft {

/// Settings of AdamW (Loshchilov & Hutter 2019, "Decoupled weight decay regularization"); the learning rate comes with
/// each step.
struct AdamWSettings {
  double beta1 = 0.9;          ///< decay of the mean of gradients
  double beta2 = 0.999;        ///< decay of the mean of squared gradients
  double epsilon = 1e-8;       ///< added to √v̂
  double weight_decay = 0.01;  ///< λ
};

/// θ ← θ − η·λ·θ − η·m̂ / (√v̂ + ε) with m̂ = m/(1 − β₁ᵗ), v̂ = v/(1 − β₂ᵗ), in the order of operations of
/// torch.optim.AdamW. Every parameter decays, biases and norms too. Keeps "exp_avg" (m) and "exp_avg_sq" (v).
template <class Scalar, class Device = Cpu>
class AdamW final : public Optimizer<Scalar, Device> {
 public:
  /// @throws ConfigError for settings out of range
  explicit AdamW(ParameterList<Scalar, Device> parameters, AdamWSettings settings = {})
      : Optimizer<Scalar, Device>(std::move(parameters)), settings_(settings) {
    auto const check = [](char const* name, double value, double limit) {
      if (!(value >= 0.0 && value < limit))
        fail<ConfigError>("[adamw] got ", name, " ", value, "; expected 0 or more and below ", limit);
    };
    check("beta1", settings.beta1, 1.0), check("beta2", settings.beta2, 1.0);
    check("epsilon", settings.epsilon, 1.0), check("weight_decay", settings.weight_decay, HUGE_VAL);
  }

 private:
  using typename Optimizer<Scalar, Device>::Values;

  Values initial_values(Parameter<Scalar, Device> const& parameter) const override {
    return {{"exp_avg", this->zeros_like(parameter)}, {"exp_avg_sq", this->zeros_like(parameter)}};
  }
  using typename Optimizer<Scalar, Device>::Moving;
  using Kernel = kernels::On<Device, kernels::Adamw, Scalar>;
  using Update = typename kernels::Adamw<Device, Scalar>::Update;

  [[nodiscard]] Update update_of(Parameter<Scalar, Device>& parameter, ParameterState<Scalar, Device>& state,
                                 double learning_rate) const {
    auto const t = static_cast<double>(state.steps);
    auto value = parameter.mutable_value();
    return {value.data(),
            parameter.gradient().data(),
            state.values.at("exp_avg").data(),
            state.values.at("exp_avg_sq").data(),
            value.size(),
            {1.0 - learning_rate * settings_.weight_decay, 1.0 - settings_.beta1, settings_.beta2,
             1.0 - settings_.beta2, learning_rate / (1.0 - std::pow(settings_.beta1, t)),
             std::sqrt(1.0 - std::pow(settings_.beta2, t)), settings_.epsilon}};
  }
  void update_all(std::vector<Moving> const& moving, double learning_rate,
                  Pointer<Device, double const> gradient_scale) override {
    std::vector<Update> updates;
    updates.reserve(moving.size());
    for (auto const& [parameter, state] : moving) updates.push_back(update_of(*parameter, *state, learning_rate));
    Kernel::adamw(updates, gradient_scale);
  }
  void update(Parameter<Scalar, Device>& parameter, ParameterState<Scalar, Device>& state, double learning_rate,
              Pointer<Device, double const> gradient_scale) override {
    update_all({{&parameter, &state}}, learning_rate, gradient_scale);
  }

  AdamWSettings settings_;
};

}  // namespace graft
