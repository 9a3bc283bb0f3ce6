/// @file
/// @brief The most probable next tokens of every text, found where the logits are: a vocabulary of logits for each text
/// and step need not come to the host.
#pragma once

#include <graft/generate/log_sum_exp.hpp>
#include <graft/kernels/top_tokens.hpp>
#include <graft/tensor/device_copy.hpp>
#include <graft/tensor/tensor.hpp>

namespace graft {

/// What a search needs to know of logits where nothing changes them.
template <class Scalar>
class TopTokens {
 public:
  /// More tokens than this are no exact numbers in float.
  static constexpr Index most_tokens = Index{1} << 24;

  /// Of logits `[rows, vocabulary]`, wherever they are. @throws NumericError for logits that are not finite
  template <class Device>
  TopTokens(Tensor<Scalar, Device> const& logits, Index count) : count_(count), vocabulary_(logits.width()) {
    using Kernel = kernels::On<Device, kernels::TopTokens, Scalar>;
    Tensor<Scalar, Device> found(Shape{logits.rows(), kernels::TopTokens<Device, Scalar>::width(count)});
    Kernel::top_tokens(logits.data(), logits.rows(), vocabulary_, count, found.data());
    numbers_ = downloaded(found);
    for (Index row = 0; row < numbers_.rows(); ++row) detail::check_log_sum(log_sum(row));
  }

  [[nodiscard]] Index rows() const { return numbers_.rows(); }
  [[nodiscard]] Index count() const { return count_; }
  [[nodiscard]] Index vocabulary() const { return vocabulary_; }
  /// log Σ_v exp z_v
  [[nodiscard]] Scalar log_sum(Index row) const { return numbers_.row(row)[0]; }
  /// The n-th largest logit of a row, and whose it is: −1 where all others are −∞.
  [[nodiscard]] Scalar logit(Index row, Index n) const { return numbers_.row(row)[1 + n]; }
  [[nodiscard]] Token token(Index row, Index n) const { return static_cast<Token>(numbers_.row(row)[1 + count_ + n]); }

 private:
  Index count_, vocabulary_;
  Tensor<Scalar> numbers_;  ///< [rows, 1 + 2 · count]
};

}  // namespace graft
