/// @file
/// @brief logΣexp of rows of logits, and the refusal of logits that are no numbers.
#pragma once

#include <cmath>
#include <limits>
#include <vector>

#include <graft/core/error.hpp>
#include <graft/kernels/cross_entropy.hpp>
#include <graft/tensor/tensor.hpp>

namespace graft::detail {

/// Refuses a logΣexp of logits that are no numbers. @throws NumericError
template <class Scalar>
void check_log_sum(Scalar log_sum) {
  if (!std::isfinite(log_sum))
    fail<NumericError>(
        "[generate] got logits that are not finite; expected numbers; hint: the model's weights or the adapter's "
        "parameters are broken");
}

/// log Σ_v exp z_v of every row of `logits` `[rows, vocabulary]`.
template <class Scalar>
[[nodiscard]] std::vector<Scalar> log_sum_exp(Tensor<Scalar>& logits) {
  auto const rows = static_cast<std::size_t>(logits.rows());
  std::vector<Token> const labels(rows, 0);
  std::vector<Scalar> largest(rows, -std::numeric_limits<Scalar>::infinity()), result(rows), total(rows),
      label_logit(rows);
  kernels::On<Cpu, kernels::CrossEntropy, Scalar>::softmax_block(
      logits.data(), logits.rows(), logits.width(), 0, labels.data(),
      {largest.data(), result.data(), total.data(), label_logit.data()}, nullptr);
  for (std::size_t i = 0; i < rows; ++i) result[i] = largest[i] + std::log(result[i]);
  for (Scalar value : result) check_log_sum(value);
  return result;
}

[[noreturn]] inline void fail_all_forbidden(Index prompt, Index generated) {
  fail<ConfigError>("[generate] every token is forbidden after ", generated, " tokens for prompt ", prompt + 1,
                    "; expected at least one allowed; hint: loosen no_repeat_ngram, min_new_tokens or the processors");
}

}  // namespace graft::detail
