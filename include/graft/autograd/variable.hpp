/// @file
/// @brief A tensor that may take part in differentiation.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include <graft/autograd/tape.hpp>
#include <graft/kernels/elementwise.hpp>
#include <graft/tensor/tensor.hpp>

namespace graft {

/// Where the gradient of one variable is gathered. The first contribution is kept as it is (shared); a further one is added to a tensor of its own.
template <class Scalar, class Device>
class GradientSlot {
 public:
  [[nodiscard]] bool empty() const { return gradient_.empty(); }
  [[nodiscard]] Tensor<Scalar, Device> const& gradient() const { return gradient_; }
  [[nodiscard]] Tensor<Scalar, Device> take() { return std::exchange(gradient_, {}); }
  void clear() { gradient_ = {}; }

  void accumulate(Tensor<Scalar, Device> contribution) {
    if (gradient_.empty()) {
      gradient_ = std::move(contribution);
    } else if (gradient_.unique()) {
      kernels::add(Device{}, gradient_.data(), contribution.data(), gradient_.data(), gradient_.size());
    } else {
      Tensor<Scalar, Device> sum(gradient_.shape());
      kernels::add(Device{}, gradient_.data(), contribution.data(), sum.data(), sum.size());
      gradient_ = std::move(sum);
    }
  }

 private:
  Tensor<Scalar, Device> gradient_;
};

/// An immutable value and, where a gradient is wanted, the slot for it. A variable without a slot is a constant: operations on constants record nothing.
template <class Scalar, class Device = Cpu>
class Variable {
 public:
  using Slot = GradientSlot<Scalar, Device>;

  Variable() = default;
  /// A constant.
  Variable(Tensor<Scalar, Device> value) : value_(std::move(value)) {}  // NOLINT: tensors are constants wherever variables are expected
  Variable(Tensor<Scalar, Device> value, std::shared_ptr<Slot> slot) : value_(std::move(value)), slot_(std::move(slot)) {}

  [[nodiscard]] Tensor<Scalar, Device> const& value() const { return value_; }
  [[nodiscard]] Shape const& shape() const { return value_.shape(); }
  [[nodiscard]] Index rows() const { return value_.rows(); }
  [[nodiscard]] Index width() const { return value_.width(); }
  [[nodiscard]] bool empty() const { return value_.empty(); }
  /// Whether a gradient is wanted for it.
  [[nodiscard]] bool tracked() const { return slot_ != nullptr; }
  [[nodiscard]] std::shared_ptr<Slot> const& slot() const { return slot_; }

 private:
  Tensor<Scalar, Device> value_;
  std::shared_ptr<Slot> slot_;
};

/// Whether an operation on these variables must be recorded.
template <class... Variables>
[[nodiscard]] bool needs_gradient(Variables const&... inputs) {
  return Tape::current().recording() && (inputs.tracked() || ...);
}

/// Wraps a result and records its reverse pass: `reverse(dy)` receives the result's gradient and accumulates into the slots of the inputs it captured.
/// A result whose gradient nobody contributed to is skipped.
template <class Scalar, class Device, class Reverse>
[[nodiscard]] Variable<Scalar, Device> record(Tensor<Scalar, Device> value, Reverse reverse) {
  auto slot = std::make_shared<GradientSlot<Scalar, Device>>();
  Tape::current().record([slot, reverse = std::move(reverse)]() mutable {
    if (!slot->empty()) reverse(slot->take());
  });
  return {std::move(value), std::move(slot)};
}

/// A named leaf whose value an optimizer changes in place and whose gradient stays until it is cleared.
template <class Scalar, class Device = Cpu>
class Parameter {
 public:
  Parameter() = default;
  Parameter(std::string name, Tensor<Scalar, Device> value)
      : name_(std::move(name)), variable_(std::move(value), std::make_shared<GradientSlot<Scalar, Device>>()) {}

  [[nodiscard]] std::string const& name() const { return name_; }
  /// For strategies that hold others, whose names would meet.
  void rename(std::string name) { name_ = std::move(name); }
  [[nodiscard]] Variable<Scalar, Device> const& variable() const { return variable_; }
  [[nodiscard]] Tensor<Scalar, Device> const& value() const { return variable_.value(); }
  /// For initialisers, loaders and optimizers: between steps only, never while a tape holds the value.
  [[nodiscard]] Tensor<Scalar, Device> mutable_value() { return variable_.value(); }
  [[nodiscard]] Tensor<Scalar, Device> const& gradient() const { return variable_.slot()->gradient(); }
  [[nodiscard]] bool has_gradient() const { return !variable_.slot()->empty(); }
  void clear_gradient() { variable_.slot()->clear(); }
  [[nodiscard]] bool empty() const { return variable_.empty(); }

 private:
  std::string name_;
  Variable<Scalar, Device> variable_;
};

/// d loss / d everything tracked, for a loss of one element; consumes the tape. `scale` multiplies every gradient.
template <class Scalar, class Device>
void backward(Variable<Scalar, Device> const& loss, Scalar scale = Scalar(1)) {
  if (loss.value().size() != 1) fail<ShapeError>("[backward] got a loss of shape ", loss.shape(), "; expected one element");
  if (!loss.tracked()) fail("[backward] got a loss that depends on nothing trainable; expected a recorded computation; hint: is the adaptation disabled?");
  Tensor<Scalar, Device> one(loss.shape());
  kernels::fill(Device{}, one.data(), scale, Index{1});
  loss.slot()->accumulate(std::move(one));
  Tape::current().run_back_to();
}

}  // namespace graft
