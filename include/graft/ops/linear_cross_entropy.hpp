/// @file
/// @brief The language-model head and the cross-entropy as one operation: `[targets, vocabulary]` never exists, only a chunk of it.
#pragma once

#include <algorithm>
#include <vector>

#include <graft/core/types.hpp>
#include <graft/kernels/cross_entropy.hpp>
#include <graft/ops/linear.hpp>

namespace graft {

/// What is known of every target after the head, each `[targets]`; the caller weighs and normalises.
template <class Scalar, class Device>
struct TargetScores {
  Variable<Scalar, Device> log_probability;  ///< log p(label) = z_label − logΣexp z
  Tensor<Scalar, Device> log_sum_exp;        ///< logΣ_v exp z_v (for a z-loss)
  Tensor<Scalar, Device> mean_logit;         ///< Σ_v z_v / V (for label smoothing)
};

/// Rows of logits computed at a time: at most 16 MB in float32 for a vocabulary of 50,000.
inline Index cross_entropy_chunk(Index vocabulary) { return std::clamp<Index>((Index{1} << 22) / std::max<Index>(1, vocabulary), 16, 4096); }

/// z = h·Wᵀ + b, log p = z_label − logΣexp z. h `[targets, width]`, W `[vocabulary, width]` frozen or trainable, b `[vocabulary]` or empty.
/// Reverse: with p = softmax(z), dh = d(log p)·(W_label − p·W), which is row-wise linear in the incoming gradient: p·W is formed with the
/// logits, so the frozen head's reverse pass needs no second product. dW = Σ d(log p)·(1_label − p)ᵀ·h recomputes the logits chunk by chunk.
template <class Scalar, class Device, class Weight, class Bias = Tensor<Scalar, Device>>
[[nodiscard]] TargetScores<Scalar, Device> linear_cross_entropy(Variable<Scalar, Device> const& h, Weight const& w, std::vector<Token> labels, Bias const& b = {}) {
  constexpr bool trains_weight = detail::IsTrainableMatrix<Weight>::value;
  using Values = Tensor<Scalar, Device>;
  Index const targets = h.rows(), vocabulary = w.out(), width = w.in();
  if (h.width() != width) fail<ShapeError>("[linear_cross_entropy] got hidden states ", h.shape(), "; expected [targets, ", width, "]");
  if (static_cast<Index>(labels.size()) != targets)
    fail<ShapeError>("[linear_cross_entropy] got ", labels.size(), " labels; expected ", targets, ", one for each hidden state");
  for (Token label : labels)
    if (label < 0 || label >= vocabulary) fail<ShapeError>("[linear_cross_entropy] got label ", label, "; expected 0 to ", vocabulary - 1);

  bool wants_weight = false;
  if constexpr (trains_weight) wants_weight = w.value.tracked();
  bool const wants_bias = tracked(b), recording = Tape::current().recording() && (h.tracked() || wants_weight || wants_bias);
  bool const wants_hidden = recording && h.tracked();
  auto const& bias = value_of(b);
  Values log_probability(Shape{targets}), log_sum_exp(Shape{targets}), mean(Shape{targets});
  Values expected(wants_hidden ? Shape{targets, width} : Shape{0});  // p·W, [targets, width]

  Index const chunk = std::min(cross_entropy_chunk(vocabulary), std::max<Index>(targets, 1));
  auto const chunk_logits = [w, bias, vocabulary](Values const& hidden, Index first, Index count, Values& z) {
    w.times_transposed(hidden.row(first), count, z.data());
    if (!bias.empty()) kernels::add_to_rows(Device{}, bias.data(), count, vocabulary, z.data());
  };
  {
    Values z(Shape{chunk, vocabulary});
    for (Index first = 0; first < targets; first += chunk) {
      Index const count = std::min(chunk, targets - first);
      chunk_logits(h.value(), first, count, z);
      kernels::softmax_statistics(Device{}, z.data(), count, vocabulary, labels.data() + first, log_sum_exp.row(first), log_probability.row(first), mean.row(first), wants_hidden);
      if (wants_hidden) w.times(z.data(), count, expected.row(first));
    }
  }
  kernels::add_scaled(Device{}, log_sum_exp.data(), Scalar(-1), log_probability.data(), targets);
  if (!recording) return {log_probability, log_sum_exp, mean};

  auto reverse = [=, dh = h.slot(), hidden = wants_weight || wants_bias ? h.value() : Values(), labels = std::move(labels), w = w, b = b](Values g) {
    if (dh) {
      Values gradient(Shape{targets, width});
      for (Index i = 0; i < targets; ++i) {
        Scalar* const out = gradient.row(i);
        w.row(labels[static_cast<std::size_t>(i)], out);
        Scalar const* const mean_row = expected.row(i);
        for (Index k = 0; k < width; ++k) out[k] = g.data()[i] * (out[k] - mean_row[k]);
      }
      dh->accumulate(std::move(gradient));
    }
    if constexpr (trains_weight || is_trainable<Bias>) {
      if (!wants_weight && !wants_bias) return;
      Values z(Shape{chunk, vocabulary}), ignored(Shape{chunk});
      Values dw, db;
      for (Index first = 0; first < targets; first += chunk) {
        Index const count = std::min(chunk, targets - first);
        chunk_logits(hidden, first, count, z);
        kernels::softmax_statistics(Device{}, z.data(), count, vocabulary, labels.data() + first, ignored.data(), ignored.data(), ignored.data(), true);
        kernels::cross_entropy_gradient(Device{}, z.data(), count, vocabulary, labels.data() + first, g.data() + first);
        Values const dz = z.slice(0, count);
        if constexpr (trains_weight)
          if (wants_weight) w.add_gradient(hidden.slice(first, first + count), dz, dw);
        if constexpr (is_trainable<Bias>)
          if (wants_bias) detail::add_bias_gradient(dz, db);
      }
      if constexpr (trains_weight)
        if (wants_weight && targets > 0) w.value.slot()->accumulate(std::move(dw));
      if constexpr (is_trainable<Bias>)
        if (wants_bias && targets > 0) b.slot()->accumulate(std::move(db));
    }
  };
  return {record(std::move(log_probability), std::move(reverse)), log_sum_exp, mean};
}

}  // namespace graft
