/// @file
/// @brief How far from a golden case a run may be. In float64 1e-9. In float32 four times what the reference's own
/// float32 run missed the golden by, as the case's record `float32` says, and at least a fixed bound, which is all
/// there is for a case without the record.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <type_traits>
#include <vector>

#include "golden_case.hpp"
#include "support/worst.hpp"

namespace parity {

/// Bounds of relative differences; `live` and `still` are bounds of plain differences of trained parameters.
struct Tolerance {
  double logits, loss, step_losses, gradient, all_gradients, trained;
  double live = 0;   ///< a parameter that has a gradient
  double still = 0;  ///< a parameter whose gradient is zero but for rounding
};

/// What AdamW's steps can put between two runs that disagree about the sign of a gradient all the way.
inline double reach_of_steps(nlohmann::json const& json) {
  double sum = 0;
  for (double const factor : json.value("lr_factors", std::vector<double>()))
    sum += factor * json.at("lr").get<double>();
  return 2 * sum;
}

template <class Scalar>
Tolerance tolerance(GoldenCase const& golden) {
  if constexpr (std::is_same_v<Scalar, double>) return {1e-9, 1e-9, 1e-9, 1e-9, 1e-9, 1e-9};
  auto const record = golden.json.value("float32", nlohmann::json::object());
  auto const at_least = [&](double bound, char const* key) { return std::max(bound, 4 * record.value(key, 0.0)); };
  return {at_least(1e-4, "logits"),      at_least(1e-5, "loss"),
          at_least(1e-5, "step_losses"), at_least(1e-4, "grad_max"),
          at_least(1e-5, "grad"),        2e-2,
          at_least(0, "trained_live"),   at_least(reach_of_steps(golden.json), "trained_max")};
}

/// Compares trained parameters. AdamW divides a gradient by its own size, so rounding alone moves a parameter whose
/// gradient is zero (a key's bias) by whole steps, in a direction that no two processors share.
class TrainedTolerance {
 public:
  TrainedTolerance(Tolerance const& allowed, double largest_gradient)
      : allowed_(allowed), still_below_(1e-5 * largest_gradient) {}

  /// The largest ratio of a difference to what is allowed there; `gradient` is the golden first one. It is exactly zero
  /// where nothing is computed.
  template <class Scalar>
  [[nodiscard]] double worst_ratio(graft::Tensor<Scalar> const& got, graft::Tensor<double> const& expected,
                                   graft::Tensor<double> const& gradient) const {
    if (got.size() != expected.size() || gradient.size() != expected.size())
      graft::fail("[parity] got ", got.shape(), "; expected ", expected.shape());
    double largest = 0, worst = 0;
    for (Index i = 0; i < expected.size(); ++i) largest = std::max(largest, std::abs(expected.data()[i]));
    for (Index i = 0; i < expected.size(); ++i) {
      double const slope = std::abs(gradient.data()[i]),
                   difference = std::abs(static_cast<double>(got.data()[i]) - expected.data()[i]);
      bool const still = slope > 0 && slope <= still_below_;
      double const ratio =
          difference / std::max({allowed_.trained * largest, still ? allowed_.still : allowed_.live, 1e-300});
      worst = graft::testing::worse(worst, ratio);
    }
    return worst;
  }

 private:
  Tolerance allowed_;
  double still_below_;
};

}  // namespace parity
