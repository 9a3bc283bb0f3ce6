/// @file
/// @brief The next tokens of texts, drawn where the logits are: of each text and step two numbers come to the host.
#pragma once

#include <graft/core/error.hpp>
#include <graft/generate/log_sum_exp.hpp>
#include <graft/kernels/sample_tokens.hpp>
#include <graft/tensor/device_copy.hpp>
#include <graft/tensor/tensor.hpp>

namespace graft {

/// How the next tokens of a step are drawn.
struct Draws {
  kernels::SamplingRule rule;
  Tensor<double> uniforms;  ///< of every text a number in [0, 1), row by row of the logits, equally many for each
};

/// The tokens that were drawn, in the order of their uniforms.
class DrawnTokens {
 public:
  /// From logits `[rows, vocabulary]`, wherever they are. Waits once, for the tokens.
  /// @throws NumericError for logits that are not finite
  template <class Scalar, class Device>
  DrawnTokens(Tensor<Scalar, Device> const& logits, Draws const& draws) : vocabulary_(logits.width()) {
    using Kernel = kernels::On<Device, kernels::SampleTokens, Scalar>;
    Index const texts = draws.uniforms.size(), rows = logits.rows();
    if (rows < 1 || texts % rows != 0)
      fail<ShapeError>("[generate] got logits ", logits.shape(), " for ", texts,
                       " texts; expected as many texts for each row");
    auto const uniforms = staged<Device>(draws.uniforms);
    Tensor<double, Device> drawn(Shape{texts, Kernel::width});
    Kernel::sample_tokens(logits.data(), rows, vocabulary_, uniforms.data(), texts / rows, draws.rule, drawn.data());
    numbers_ = downloaded(drawn);
    for (Index i = 0; i < texts; ++i) detail::check_log_sum(log_probability(i));
  }

  [[nodiscard]] Index texts() const { return numbers_.rows(); }
  [[nodiscard]] Index vocabulary() const { return vocabulary_; }
  [[nodiscard]] Token token(Index text) const { return static_cast<Token>(numbers_.row(text)[1]); }
  /// Under the model itself, whatever the rule is.
  [[nodiscard]] double log_probability(Index text) const { return numbers_.row(text)[0]; }

 private:
  Index vocabulary_;
  Tensor<double> numbers_;  ///< [texts, 2]
};

}  // namespace graft
