/// @file
/// @brief A step of training on a GPU whose loss and norm the host reads while the next step is computed.
#pragma once

#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include <graft/tensor/late_numbers.hpp>
#include <graft/train/batches.hpp>
#include <graft/train/training.hpp>

namespace graft::detail {

/// At most one step is under way whose numbers are not known. The host has none.
template <class Scalar, class Device>
class LateStep {
  static constexpr bool on_host = std::is_same_v<Device, Cpu>;

 public:
  /// The loss of a pass of the step that is being asked for.
  void keep(Tensor<Scalar, Device> const& loss) { losses_.push_back(loss); }
  /// The step is asked for as a whole: its report lacks loss and norm.
  void ask([[maybe_unused]] StepReport const& report, [[maybe_unused]] StepBatches const& plan,
           [[maybe_unused]] Tensor<double, Device> const& norm) {
    if constexpr (!on_host) {
      auto const passes = static_cast<Index>(losses_.size());
      if (!loss_numbers_ || loss_numbers_->size() < passes)
        loss_numbers_ = std::make_unique<LateNumbers<Scalar, Device>>(2 * passes);
      if (!norm_number_) norm_number_ = std::make_unique<LateNumbers<double, Device>>(1);
      for (Index i = 0; i < passes; ++i) loss_numbers_->ask(i, losses_[static_cast<std::size_t>(i)]);
      norm_number_->ask(0, norm);
      losses_.clear();
      report_ = report, plan_ = plan, passes_ = passes;
    }
  }
  /// Waits for the step that was asked for, if there is one, and calls `f(report, plan, losses)` with its report, which
  /// has the norm, and its passes' losses.
  template <class F>
  void take([[maybe_unused]] F const& f) {
    if constexpr (!on_host) {
      if (passes_ == 0) return;
      std::vector<double> losses;
      for (Index i = 0; i < passes_; ++i) losses.push_back(static_cast<double>(loss_numbers_->get(i)));
      report_.gradient_norm = norm_number_->get(0);
      passes_ = 0;
      f(report_, std::as_const(plan_), losses);
    }
  }

 private:
  std::vector<Tensor<Scalar, Device>> losses_;
  StepReport report_;
  StepBatches plan_;
  Index passes_ = 0;  ///< of the step that was asked for; 0: there is none
  std::unique_ptr<LateNumbers<Scalar, Device>> loss_numbers_;
  std::unique_ptr<LateNumbers<double, Device>> norm_number_;
};

}  // namespace graft::detail
