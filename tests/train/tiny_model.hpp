// A model small enough to train in milliseconds, with what matters to a trainer: several parameters, a frozen part,
// dropout.
#pragma once

#include <graft/nn/rows.hpp>
#include <graft/ops/activation.hpp>
#include <graft/ops/dropout.hpp>
#include <graft/ops/embedding.hpp>
#include <graft/ops/gather.hpp>
#include <graft/ops/linear_cross_entropy.hpp>

#include <functional>
#include <limits>
#include <string>
#include <vector>

namespace tiny {

using graft::Index;
using graft::Shape;
using graft::Token;

struct Counts {
  Index trainable = 0, all = 0;
};

/// log p = log softmax(head · tanh(W·dropout(embedding) + b)); the head is frozen. Knows only the token before.
template <class Scalar>
class Model {
 public:
  explicit Model(std::uint64_t base_seed = 1, Index vocabulary = 11, Index width = 8)
      : table_("table", graft::normal<Scalar>(Shape{vocabulary, width}, graft::RandomKey(5), 0.5)),
        weight_("hidden.weight", graft::normal<Scalar>(Shape{width, width}, graft::RandomKey(6), 0.4)),
        bias_("hidden.bias", graft::zeros<Scalar>(Shape{width})),
        head_(graft::normal<Scalar>(Shape{vocabulary, width}, graft::RandomKey(base_seed), 1.0)) {}

  std::vector<graft::Parameter<Scalar>*> parameters() { return {&table_, &weight_, &bias_}; }
  Counts parameter_counts() {
    Counts counts;
    for (auto const* parameter : parameters()) counts.trainable += parameter->value().size();
    counts.all = counts.trainable + head_.size();
    return counts;
  }
  graft::TargetScores<Scalar, graft::Cpu> scores(graft::Batch const& batch) {
    auto x = graft::embedding(table_.variable(), batch.tokens);
    if (batch.rows.training && dropout > 0)
      x = graft::dropout(x, dropout, batch.rows.offsets, batch.rows.examples,
                         graft::RandomKey(9).with("dropout").with(batch.rows.step));
    auto h =
        graft::tanh(graft::linear(graft::gather_rows(x, batch.rows.targets.at), weight_.variable(), bias_.variable()));
    if (batch.rows.training && static_cast<Index>(batch.rows.step) == infinite_gradient_at)
      h = graft::record(h.value(), [slot = h.slot()](graft::Tensor<Scalar> const& dy) {
        slot->accumulate(graft::full<Scalar>(dy.shape(), std::numeric_limits<Scalar>::infinity()));
      });
    return graft::linear_cross_entropy(h, head_, batch.rows.targets.labels);
  }

  /// All parameters' numbers, one after another.
  std::vector<Scalar> numbers() {
    std::vector<Scalar> all;
    for (auto const* parameter : parameters())
      all.insert(all.end(), parameter->value().data(), parameter->value().data() + parameter->value().size());
    return all;
  }
  graft::Parameter<Scalar>& table() { return table_; }

  double dropout = 0.2;
  Index infinite_gradient_at = -1;

 private:
  graft::Parameter<Scalar> table_, weight_, bias_;
  graft::FrozenMatrix<Scalar> head_;
};

/// Rows that count upwards modulo `vocabulary` by `stride`, of varied lengths.
inline std::vector<graft::TokenizedExample> counting(Index examples, Token vocabulary = 11, Token stride = 1) {
  std::vector<graft::TokenizedExample> result;
  for (Index i = 0; i < examples; ++i) {
    graft::TokenizedExample example;
    auto token = static_cast<Token>((i * 3) % vocabulary);
    auto const next = [&] { return token = static_cast<Token>((token + stride) % vocabulary); };
    for (Index k = 0; k < 1 + i % 3; ++k) example.source.push_back(next());
    for (Index k = 0; k < 1 + i % 5; ++k) example.target.push_back(next());
    example.id = static_cast<std::uint64_t>(i);
    result.push_back(example);
  }
  return result;
}

}  // namespace tiny
