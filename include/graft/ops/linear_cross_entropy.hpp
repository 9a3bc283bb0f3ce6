/// @file
/// @brief The language-model head and the cross-entropy as one operation: `[targets, vocabulary]` never exists, only a
/// block of it.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include <graft/core/types.hpp>
#include <graft/kernels/cross_entropy.hpp>
#include <graft/kernels/elementwise.hpp>
#include <graft/kernels/scale_columns.hpp>
#include <graft/ops/linear.hpp>
#include <graft/tensor/mirrored_array.hpp>

namespace graft {

/// What is known of every target after the head, each `[targets]`; the caller weighs and normalises.
template <class Scalar, class Device>
struct TargetScores {
  Variable<Scalar, Device> log_probability;  ///< log p(label) = z_label − logΣexp z
  Tensor<Scalar, Device> log_sum_exp;        ///< logΣ_v exp z_v (for a z-loss)
  Tensor<Scalar, Device> mean_logit;         ///< Σ_v z_v / V (for label smoothing)
};

/// The logits that exist at a time, at most 16 MB in float32. All rows pass a block of the head's weights while it is
/// in the cache.
struct LogitBlock {
  Index classes = 2048, rows = 2048;
};

namespace detail {

/// `body(some, c, i, rows)` for all blocks: W's classes from c on as the matrix `some`, rows [i, i + rows).
template <class Weight, class Body>
void for_logit_blocks(Weight const& w, Index rows, LogitBlock block, Body const& body) {
  for (Index c = 0; c < w.out(); c += block.classes) {
    auto const some = w.outputs(c, std::min(w.out(), c + block.classes));
    for (Index i = 0; i < rows; i += block.rows) body(some, c, i, std::min(block.rows, rows - i));
  }
}

/// z `[rows, classes]` = h·Wᵀ + b for a block; h `[targets, width]`, b of all classes or empty.
template <class Activation, class Scalar, class Device, class Block>
void block_logits(Operand<Activation, Device>& h, Block const& some, Tensor<Scalar, Device> const& bias, Index c,
                  Index i, Index rows, Pointer<Device, Scalar> z) {
  times_transposed(h, i, rows, some, z);
  if (!bias.empty()) kernels::On<Device, kernels::Bias, Scalar>::add_to_rows(bias.data() + c, rows, some.out(), z);
}

/// Room for one block's logits of at most `targets` rows.
template <class Scalar, class Device>
[[nodiscard]] Tensor<Scalar, Device> room_for(LogitBlock block, Index targets, Index vocabulary) {
  return Tensor<Scalar, Device>(Shape{std::min(block.rows, targets) * std::min(block.classes, vocabulary)});
}

}  // namespace detail

/// z = h·Wᵀ + b, log p = z_label − logΣexp z. h `[targets, width]`, W `[vocabulary, width]` frozen or trainable, b
/// `[vocabulary]` or empty. Reverse: with p = softmax(z), dh = d(log p)·(W_label − p·W), which is row-wise linear in
/// the incoming gradient: p·W is formed with the logits, rescaled when a block brings a larger one, so the frozen
/// head's reverse pass needs no second product. dW = Σ d(log p)·(1_label − p)ᵀ·h recomputes the logits block by block.
/// Of h in bfloat16 all this, and the result, is float32.
template <class Activation, class Device, class Weight, class Bias = Tensor<ParameterOf<Activation>, Device>>
[[nodiscard]] TargetScores<SumOf<Activation>, Device> linear_cross_entropy(
    Variable<Activation, Device> const& h, Weight const& w,
    std::type_identity_t<MirroredArray<Token, Device>> const& labels, Bias const& b = {}, LogitBlock block = {}) {
  using Scalar = SumOf<Activation>;
  constexpr bool trains_weight = detail::IsTrainableMatrix<Weight>::value;
  using Values = Tensor<Scalar, Device>;
  Index const targets = h.rows(), vocabulary = w.out(), width = w.in();
  if (h.width() != width)
    fail<ShapeError>("[linear_cross_entropy] got hidden states ", h.shape(), "; expected [targets, ", width, "]");
  if (labels.size() != targets)
    fail<ShapeError>("[linear_cross_entropy] got ", labels.size(), " labels; expected ", targets,
                     ", one for each hidden state");
  for (Token label : labels.host())
    if (label < 0 || label >= vocabulary)
      fail<ShapeError>("[linear_cross_entropy] got label ", label, "; expected 0 to ", vocabulary - 1);

  bool const wants_weight = tracked(w), wants_bias = tracked(b), recording = needs_gradient(h, w, b);
  bool const wants_hidden = recording && h.tracked();
  // Running: the largest logit in `log_sum_exp`, the label's in `log_probability`, their sum in `mean`.
  Values log_probability(Shape{targets}), log_sum_exp(Shape{targets}), mean(Shape{targets}), sum(Shape{targets}),
      rescale(Shape{targets});
  Values expected(wants_hidden ? Shape{targets, width}
                               : Shape{0});  // Σ_v exp(z_v − largest)·W_v, at last p·W; [targets, width]
  kernels::On<Device, kernels::Elementwise, Scalar>::fill(log_sum_exp.data(), -std::numeric_limits<Scalar>::infinity(),
                                                          targets);
  kernels::On<Device, kernels::Elementwise, Scalar>::fill(sum.data(), Scalar(0), targets);
  kernels::On<Device, kernels::Elementwise, Scalar>::fill(mean.data(), Scalar(0), targets);
  {
    detail::Operand<Activation, Device> hidden(h.value());
    auto z = detail::room_for<Scalar, Device>(block, targets, vocabulary);
    detail::for_logit_blocks(w, targets, block, [&](auto const& some, Index c, Index i, Index rows) {
      detail::block_logits(hidden, some, value_of(b), c, i, rows, z.data());
      kernels::On<Device, kernels::CrossEntropy, Scalar>::softmax_block(
          z.data(), rows, some.out(), c, labels.data() + i,
          {log_sum_exp.row(i), sum.row(i), mean.row(i), log_probability.row(i)},
          wants_hidden ? rescale.row(i) : nullptr);
      if (!wants_hidden) return;
      if (c > 0)
        kernels::On<Device, kernels::ScaleColumns, Scalar>::scale_rows(expected.row(i), rescale.row(i), rows, width,
                                                                       expected.row(i));
      some.times(z.data(), rows, expected.row(i), c == 0 ? Scalar(0) : Scalar(1));
    });
  }
  kernels::On<Device, kernels::CrossEntropy, Scalar>::softmax_end(
      {log_sum_exp.data(), sum.data(), mean.data(), log_probability.data()}, targets, vocabulary, rescale.data());
  if (wants_hidden)
    kernels::On<Device, kernels::ScaleColumns, Scalar>::scale_rows(expected.data(), rescale.data(), targets, width,
                                                                   expected.data());
  if (!recording) return {log_probability, log_sum_exp, mean};

  auto kept = wants_weight || wants_bias ? h.value() : Tensor<Activation, Device>();
  auto reverse = [=, dh = h.slot(), kept = std::move(kept), w = w, b = b](Values g) {
    if (dh) {
      Values gradient(Shape{targets, width});  // g·(W_label − p·W)
      w.rows(labels, gradient.data());
      kernels::On<Device, kernels::Elementwise, Scalar>::add_scaled(expected.data(), Scalar(-1), gradient.data(),
                                                                    gradient.size());
      kernels::On<Device, kernels::ScaleColumns, Scalar>::scale_rows(gradient.data(), g.data(), targets, width,
                                                                     gradient.data());
      dh->accumulate(std::move(gradient));
    }
    if constexpr (trains_weight || is_trainable<Bias>) {
      if ((!wants_weight && !wants_bias) || targets == 0) return;
      detail::Operand<Activation, Device> hidden(kept);
      Values dw(wants_weight ? Shape{vocabulary, width} : Shape{0}), db(wants_bias ? Shape{vocabulary} : Shape{0});
      kernels::On<Device, kernels::Elementwise, Scalar>::fill(dw.data(), Scalar(0), dw.size());
      kernels::On<Device, kernels::Elementwise, Scalar>::fill(db.data(), Scalar(0), db.size());
      auto const room = detail::room_for<Scalar, Device>(block, targets, vocabulary);
      detail::for_logit_blocks(w, targets, block, [&](auto const& some, Index c, Index i, Index rows) {
        auto z = room.slice(0, rows * some.out()).reshape(Shape{rows, some.out()});
        detail::block_logits(hidden, some, value_of(b), c, i, rows, z.data());
        kernels::On<Device, kernels::CrossEntropy, Scalar>::cross_entropy_gradient(
            z.data(), rows, some.out(), c, labels.data() + i, log_sum_exp.row(i), g.row(i));
        if constexpr (trains_weight)
          if (wants_weight) {
            auto rows_of_dw = dw.slice(c, c + some.out());
            w.add_gradient(hidden.wide().slice(i, i + rows), z, rows_of_dw);
          }
        if (wants_bias) {
          auto part_of_db = db.slice(c, c + some.out());
          detail::add_bias_gradient(z, part_of_db);
        }
      });
      if constexpr (trains_weight)
        if (wants_weight) w.value.slot()->accumulate(std::move(dw));
      if constexpr (is_trainable<Bias>)
        if (wants_bias) b.slot()->accumulate(std::move(db));
    }
  };
  return {record(std::move(log_probability), std::move(reverse)), log_sum_exp, mean};
}

#ifdef GRAFT_COMPILED
extern template TargetScores<float, Cpu> linear_cross_entropy(Variable<float> const&, FrozenMatrix<float> const&,
                                                              MirroredArray<Token> const&, Tensor<float> const&,
                                                              LogitBlock);
extern template TargetScores<double, Cpu> linear_cross_entropy(Variable<double> const&, FrozenMatrix<double> const&,
                                                               MirroredArray<Token> const&, Tensor<double> const&,
                                                               LogitBlock);
#endif

}  // namespace graft
