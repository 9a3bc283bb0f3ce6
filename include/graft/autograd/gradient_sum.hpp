/// @file
/// @brief The sum of the gradients that come to one variable.
#pragma once

#include <utility>

#include <graft/core/precision.hpp>
#include <graft/kernels/elementwise.hpp>
#include <graft/tensor/rounding.hpp>
#include <graft/tensor/tensor.hpp>

namespace graft::detail {

/// The first contribution is kept as it is (shared); a further one is added to a tensor of its own.
template <class Scalar, class Device, bool narrow = is_narrow<Scalar>>
class GradientSum {
 public:
  using Values = Tensor<Scalar, Device>;

  [[nodiscard]] bool empty() const { return sum_.empty(); }
  [[nodiscard]] Values const& value() const { return sum_; }
  [[nodiscard]] Values take() { return std::exchange(sum_, {}); }
  /// The same, in the type that sums are formed in.
  [[nodiscard]] Values take_wide() { return take(); }
  void clear() { sum_ = {}; }

  void add(Values contribution) {
    using Kernel = kernels::On<Device, kernels::Elementwise, Scalar>;
    if (sum_.empty()) {
      sum_ = std::move(contribution);
    } else if (sum_.unique()) {
      Kernel::add(sum_.data(), contribution.data(), sum_.data(), sum_.size());
    } else {
      Values sum(sum_.shape());
      Kernel::add(sum_.data(), contribution.data(), sum.data(), sum.size());
      sum_ = std::move(sum);
    }
  }

 private:
  Values sum_;
};

/// Of a narrow type the sum is formed in the wider type, and rounded once: when somebody asks for it. Contributions
/// come in either type.
template <class Scalar, class Device>
class GradientSum<Scalar, Device, true> {
 public:
  using Values = Tensor<Scalar, Device>;
  using Wide = Tensor<SumOf<Scalar>, Device>;

  [[nodiscard]] bool empty() const { return narrow_.empty() && wide_.empty(); }
  [[nodiscard]] Values const& value() const {
    if (narrow_.empty()) narrow_ = rounded<Scalar, Device>(wide_.value());
    return narrow_;
  }
  [[nodiscard]] Values take() {
    (void)value();
    wide_.clear();
    return std::exchange(narrow_, {});
  }
  [[nodiscard]] Wide take_wide() {
    widen();
    return wide_.take();
  }
  void clear() { narrow_ = {}, wide_.clear(); }

  /// A single one is kept as it is.
  void add(Values contribution) {
    if (empty())
      narrow_ = std::move(contribution);
    else
      add(widened(contribution));
  }
  void add(Wide contribution) {
    widen();
    wide_.add(std::move(contribution));
  }

 private:
  void widen() {
    if (wide_.empty() && !narrow_.empty()) wide_.add(widened(narrow_));
    narrow_ = {};
  }

  mutable Values narrow_;  ///< the one contribution, or `wide_` rounded
  GradientSum<SumOf<Scalar>, Device> wide_;
};

}  // namespace graft::detail
