/// @file
/// @brief What every optimizer has in common: parameters, one state for each, and a step.
#pragma once

#include <map>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <graft/autograd/variable.hpp>
#include <graft/core/error.hpp>

namespace graft {

/// The trainable parameters of a model, which owns them. Their names are unique.
template <class Scalar, class Device = Cpu>
using ParameterList = std::vector<Parameter<Scalar, Device>*>;

/// What an optimizer remembers of one parameter.
template <class Scalar, class Device = Cpu>
struct ParameterState {
  Index steps = 0;                                       ///< updates it has had
  std::map<std::string, Tensor<Scalar, Device>> values;  ///< by the optimizer's names, such as "exp_avg"
};

/// The state of a whole optimizer, by parameter name; parameters that never had a gradient have none.
template <class Scalar, class Device = Cpu>
using OptimizerState = std::map<std::string, ParameterState<Scalar, Device>>;

/// A state whose numbers are on the device `To`: itself, if they are.
template <class To, class Scalar, class From>
[[nodiscard]] OptimizerState<Scalar, To> moved_to(OptimizerState<Scalar, From> state) {
  if constexpr (std::is_same_v<To, From>) {
    return state;
  } else {
    OptimizerState<Scalar, To> moved;
    for (auto const& [name, kept] : state) {
      auto& there = moved[name];
      there.steps = kept.steps;
      for (auto const& [key, value] : kept.values) there.values.emplace(key, to_device<To>(value));
    }
    return moved;
  }
}

/// An update rule over a model's parameters. A rule says what it keeps of a parameter (`initial_values`) and how one
/// parameter moves
/// (`update`); what is kept may differ from one parameter to the next (a factored second moment of matrices only).
template <class Scalar, class Device = Cpu>
class Optimizer {
 public:
  /// @throws ConfigError if two parameters have one name
  explicit Optimizer(ParameterList<Scalar, Device> parameters) : parameters_(std::move(parameters)) {
    std::set<std::string> names;
    for (auto const* parameter : parameters_)
      if (!names.insert(parameter->name()).second)
        fail<ConfigError>("[optimizer] got two parameters named '", parameter->name(), "'; expected different names");
  }
  virtual ~Optimizer() = default;
  Optimizer(Optimizer const&) = delete;
  Optimizer& operator=(Optimizer const&) = delete;

  /// Moves every parameter that has a gradient; the others (and their states) stay as they are, as in torch.optim.
  /// @param gradient_scale multiplies all gradients first: the coefficient of clipping, without a pass of its own
  void step(double learning_rate, double gradient_scale = 1.0) {
    step(learning_rate,
         gradient_scale == 1.0 ? Tensor<double, Device>() : uploaded<Device>(full(Shape{}, gradient_scale)));
  }
  /// The same with a coefficient that stands on the device (see `measure_gradients`; empty for 1): nothing waits for
  /// it.
  void step(double learning_rate, Tensor<double, Device> const& gradient_scale) {
    std::vector<Moving> moving;
    moving.reserve(parameters_.size());
    for (auto* parameter : parameters_) {
      if (!parameter->has_gradient()) continue;
      auto [found, fresh] = states_.try_emplace(parameter->name());
      if (fresh) found->second.values = initial_values(*parameter);
      ++found->second.steps;
      moving.push_back({parameter, &found->second});
    }
    update_all(moving, learning_rate, gradient_scale.data());
  }
  void clear_gradients() {
    for (auto* parameter : parameters_) parameter->clear_gradient();
  }

  [[nodiscard]] ParameterList<Scalar, Device> const& parameters() const { return parameters_; }
  /// The state, sharing storage with the optimizer: to be written before the next step.
  [[nodiscard]] OptimizerState<Scalar, Device> const& state() const { return states_; }
  /// Continues from a state whose tensors the optimizer may change from now on.
  /// @throws ConfigError, with nothing changed, if the state is of other parameters or of another rule
  void restore(OptimizerState<Scalar, Device> state) {
    std::map<std::string, Parameter<Scalar, Device>*> by_name;
    for (auto* parameter : parameters_) by_name.emplace(parameter->name(), parameter);
    for (auto const& [name, kept] : state) {
      auto const found = by_name.find(name);
      if (found == by_name.end())
        fail<ConfigError>("[optimizer] got a state of '", name, "'; expected one of the model's ", parameters_.size(),
                          " parameters");
      auto const expected = initial_values(*found->second);
      bool fits = expected.size() == kept.values.size();
      for (auto const& [key, value] : expected) {
        auto const given = kept.values.find(key);
        fits = fits && given != kept.values.end() && given->second.shape() == value.shape();
      }
      if (!fits)
        fail<ConfigError>("[optimizer] got a state of '", name,
                          "' whose values or shapes differ from those this optimizer keeps; expected a state of the "
                          "same optimizer and sizes");
    }
    states_ = std::move(state);
  }

 protected:
  using Values = std::map<std::string, Tensor<Scalar, Device>>;

  /// A parameter that a step moves, and its state, whose `steps` count this update already.
  struct Moving {
    Parameter<Scalar, Device>* parameter;
    ParameterState<Scalar, Device>* state;
  };

  /// A tensor of zeros in the parameter's shape.
  static Tensor<Scalar, Device> zeros_like(Parameter<Scalar, Device> const& parameter) {
    Tensor<Scalar, Device> zero(parameter.value().shape());
    kernels::On<Device, kernels::Elementwise, Scalar>::fill(zero.data(), Scalar(0), zero.size());
    return zero;
  }

 private:
  [[nodiscard]] virtual Values initial_values(Parameter<Scalar, Device> const& parameter) const = 0;
  /// Moves all parameters of a step, one after the other, unless a rule does it at once.
  virtual void update_all(std::vector<Moving> const& moving, double learning_rate,
                          Pointer<Device, double const> gradient_scale) {
    for (auto const& [parameter, state] : moving) update(*parameter, *state, learning_rate, gradient_scale);
  }
  /// `state.steps` already counts this update.
  virtual void update(Parameter<Scalar, Device>& parameter, ParameterState<Scalar, Device>& state, double learning_rate,
                      Pointer<Device, double const> gradient_scale) = 0;

  ParameterList<Scalar, Device> parameters_;
  OptimizerState<Scalar, Device> states_;
};

}  // namespace graft
