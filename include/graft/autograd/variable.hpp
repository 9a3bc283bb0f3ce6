/// @file
/// @brief A tensor that may take part in differentiation.
#pragma once

#include <concepts>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include <graft/autograd/gradient_sum.hpp>
#include <graft/autograd/tape.hpp>
#include <graft/kernels/elementwise.hpp>
#include <graft/tensor/device_copy.hpp>
#include <graft/tensor/tensor.hpp>

namespace graft {

/// Where the gradient of one variable is gathered: a sum, of bfloat16 formed in float32 and rounded once. The slot of a
/// recorded result knows its record: gradients arrive only as long as that is on the tape of this thread.
template <class Scalar, class Device>
class GradientSlot {
 public:
  [[nodiscard]] bool empty() const { return sum_.empty(); }
  [[nodiscard]] Tensor<Scalar, Device> const& gradient() const { return sum_.value(); }
  [[nodiscard]] Tensor<Scalar, Device> take() { return sum_.take(); }
  /// The gradient in the type that it was summed in, not yet rounded.
  [[nodiscard]] Tensor<SumOf<Scalar>, Device> take_sum() { return sum_.take_wide(); }
  void clear() { sum_.clear(); }

  /// @throws Error if the operation that made the variable is not on this thread's tape
  void accumulate(Tensor<Scalar, Device> contribution) {
    check();
    sum_.add(std::move(contribution));
  }
  /// A contribution that nobody has rounded.
  void accumulate(Tensor<SumOf<Scalar>, Device> contribution) requires(is_narrow<Scalar>) {
    check();
    sum_.add(std::move(contribution));
  }

  /// The record whose result this is; 0 for a leaf, such as a parameter.
  [[nodiscard]] Tape::Number record() const { return record_; }
  void set_record(Tape::Number number) { record_ = number, tape_ = &Tape::current(); }
  /// Its record has run, or was forgotten.
  void close() { closed_ = true; }
  /// @throws Error if gradients for it can go nowhere
  void check() const {
    if (record_ == 0) return;
    if (tape_ != &Tape::current())
      fail(
          "[backward] reaches a computation that was recorded on another thread; expected forward and backward on one "
          "thread");
    if (closed_)
      fail(
          "[backward] reaches a computation that is no longer on the tape: a record is gone through once, and then "
          "freed; "
          "expected one backward; hint: add losses that share a computation and go back from the sum, or compute it "
          "anew");
  }

 private:
  detail::GradientSum<Scalar, Device> sum_;
  Tape const* tape_ = nullptr;
  Tape::Number record_ = 0;
  bool closed_ = false;
};

/// An immutable value and, where a gradient is wanted, the slot for it. A variable without
/// a slot is a constant: operations on constants record nothing.
template <class Scalar, class Device = Cpu>
class Variable {
 public:
  using Slot = GradientSlot<Scalar, Device>;

  Variable() = default;
  /// A constant.
  Variable(Tensor<Scalar, Device> value)
      : value_(std::move(value)) {}  // NOLINT: tensors are constants wherever variables are expected
  Variable(Tensor<Scalar, Device> value, std::shared_ptr<Slot> slot)
      : value_(std::move(value)), slot_(std::move(slot)) {}

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

namespace detail {

/// A record whose reverse pass is the closure `reverse(dy)`.
template <class Scalar, class Device, class Reverse>
class ClosureRecord final : public Tape::Record {
 public:
  using Slot = GradientSlot<Scalar, Device>;

  ClosureRecord(std::shared_ptr<Slot> slot, Reverse reverse) : slot_(std::move(slot)), reverse_(std::move(reverse)) {}
  ~ClosureRecord() override { slot_->close(); }
  [[nodiscard]] bool reached() const override { return !slot_->empty(); }
  [[nodiscard]] bool reachable() const override { return slot_.use_count() > 1; }
  void run() override { reverse_(slot_->take()); }

 private:
  std::shared_ptr<Slot> slot_;
  Reverse reverse_;
};

}  // namespace detail

/// Whether no program has a gradient for values of this type. Such a type says so with `static constexpr bool frozen =
/// true`.
template <class Input>
inline constexpr bool is_frozen = requires { requires Input::frozen; };
template <class Scalar, class Device>
inline constexpr bool is_frozen<Tensor<Scalar, Device>> = true;

/// An operand that answers for itself whether its gradient is wanted: a variable, or what is made of variables.
template <class Input>
concept HasTracked = requires(Input const& input) {
  { input.tracked() } -> std::convertible_to<bool>;
};

/// Whether the gradient of this operand is wanted in this step: never, for a frozen type. A type that is neither frozen
/// nor answers for itself does not compile.
template <class Input>
[[nodiscard]] bool tracked([[maybe_unused]] Input const& input) {
  if constexpr (HasTracked<Input>) {
    return input.tracked();
  } else {
    static_assert(is_frozen<Input>,
                  "graft: an operand whose type neither has tracked() nor is declared frozen would silently get no "
                  "gradient; give the type "
                  "tracked(), which answers for its variables, or static constexpr bool frozen = true");
    return false;
  }
}

/// Whether an operation on these variables and weights, trainable or frozen, must be recorded.
template <class... Inputs>
[[nodiscard]] bool needs_gradient(Inputs const&... inputs) {
  return Tape::current().recording() && (tracked(inputs) || ...);
}

/// Wraps a result and records its reverse pass: `reverse(dy)` receives the result's gradient and accumulates into the
/// slots of the inputs it captured. A result whose gradient nobody contributed to is skipped.
template <class Scalar, class Device, class Reverse>
[[nodiscard]] Variable<Scalar, Device> record(Tensor<Scalar, Device> value, Reverse reverse) {
  auto slot = std::allocate_shared<GradientSlot<Scalar, Device>>(PoolAllocator<GradientSlot<Scalar, Device>>());
  slot->set_record(Tape::current().record(
      std::make_unique<detail::ClosureRecord<Scalar, Device, Reverse>>(slot, std::move(reverse))));
  return {std::move(value), std::move(slot)};
}

/// A named leaf whose value an optimizer changes in place and whose gradient stays until it is cleared.
template <class Scalar, class Device = Cpu>
class Parameter {
 public:
  Parameter() = default;
  Parameter(std::string name, Tensor<Scalar, Device> value)
      : name_(std::move(name)), variable_(std::move(value), std::make_shared<GradientSlot<Scalar, Device>>()) {}
  /// Starts at numbers that were made on the host, and uploads them.
  Parameter(std::string name, Tensor<Scalar> const& start) requires(!std::is_same_v<Device, Cpu>)
      : Parameter(std::move(name), uploaded<Device>(start)) {}

  [[nodiscard]] std::string const& name() const { return name_; }
  /// For strategies that hold others, whose names would meet.
  void rename(std::string name) { name_ = std::move(name); }
  [[nodiscard]] Variable<Scalar, Device> const& variable() const { return variable_; }
  [[nodiscard]] Tensor<Scalar, Device> const& value() const { return variable_.value(); }
  /// For initialisers, loaders and optimizers: between steps only, never while a tape holds the value.
  [[nodiscard]] Tensor<Scalar, Device> mutable_value() { return variable_.value(); }
  /// Puts a host tensor's numbers in place of its own: between steps only.
  /// @throws ShapeError for another number of elements
  void assign(Tensor<Scalar> const& numbers) {
    auto value = mutable_value();
    copy_async(numbers, value);
    synchronize(Device{});
  }
  [[nodiscard]] Tensor<Scalar, Device> const& gradient() const { return variable_.slot()->gradient(); }
  [[nodiscard]] bool has_gradient() const { return !variable_.slot()->empty(); }
  void clear_gradient() { variable_.slot()->clear(); }
  [[nodiscard]] bool empty() const { return variable_.empty(); }

 private:
  std::string name_;
  Variable<Scalar, Device> variable_;
};

/// d y / d everything tracked, contracted with `dy`, for what was recorded from number `first` on; frees the records
/// that it runs. Records that it does not reach stay, for other losses.
/// @throws Error where `y` or something that it was computed from is no longer on this
/// thread's tape; gradients of leaves may be incomplete then
template <class Scalar, class Device>
void backward_from(Variable<Scalar, Device> const& y, Tensor<Scalar, Device> dy, Tape::Number first = 0) {
  y.slot()->accumulate(std::move(dy));
  Tape::current().run(y.slot()->record(), first);
}

/// d loss / d everything tracked, for a loss of one element. `scale` multiplies every gradient. Several recorded losses
/// are gone back from one after the other, if they share no recorded computation; those that do are added first.
/// @throws Error for a loss that is no longer on this thread's tape
template <class Scalar, class Device>
void backward(Variable<Scalar, Device> const& loss, Scalar scale = Scalar(1)) {
  if (loss.value().size() != 1)
    fail<ShapeError>("[backward] got a loss of shape ", loss.shape(), "; expected one element");
  if (!loss.tracked())
    fail(
        "[backward] got a loss that depends on nothing trainable; expected a recorded computation; hint: is the "
        "adaptation disabled?");
  Tensor<Scalar, Device> one(loss.shape());
  kernels::On<Device, kernels::Elementwise, Scalar>::fill(one.data(), scale, Index{1});
  backward_from(loss, std::move(one));
}

}  // namespace graft
