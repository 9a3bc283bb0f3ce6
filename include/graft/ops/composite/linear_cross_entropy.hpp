/// @file
/// @brief The head with its cross-entropy as a composition, with all logits at once.
#pragma once

#include <vector>

#include <graft/ops/composite/parts.hpp>
#include <graft/ops/linear_cross_entropy.hpp>

namespace graft::composite {

/// `graft::linear_cross_entropy`: z = h·Wᵀ + b, log p = z_label − ln Σ_v e^{z_v}. h `[targets, width]`, W `[vocabulary,
/// width]` frozen or trainable, b `[vocabulary]` or empty. Logits must stay where e^z is finite: no maximum is
/// subtracted.
template <class Scalar, class Device, class Weight, class Bias = Tensor<Scalar, Device>>
[[nodiscard]] TargetScores<Scalar, Device> linear_cross_entropy(Variable<Scalar, Device> const& h, Weight const& w,
                                                                std::vector<Token> const& labels, Bias const& b = {}) {
  Index const targets = h.rows(), vocabulary = w.out();
  Tensor<Scalar> chosen = zeros<Scalar>(Shape{targets, vocabulary});
  for (Index i = 0; i < targets; ++i) chosen.row(i)[labels[static_cast<std::size_t>(i)]] = 1;
  auto const total = [&](Variable<Scalar, Device> const& x, double factor) {  // factor · Σ_v x_iv
    return reshape(linear(x, detail::filled<Scalar, Device>(Shape{1, vocabulary}, factor)), Shape{targets});
  };
  auto const z = linear(h, w, b);                                                 // [targets, vocabulary]
  auto const log_sum = log(total(exp(z), 1));                                     // [targets]
  auto const of_label = total(multiply(z, detail::constant<Device>(chosen)), 1);  // [targets]
  return {subtract(of_label, log_sum), log_sum.value(), total(z, 1.0 / static_cast<double>(vocabulary)).value()};
}

}  // namespace graft::composite
