/// @file
/// @brief The training objective −Σ w·log p(target) / Σ w, and its value on held-out examples.
#pragma once

#include <algorithm>
#include <concepts>
#include <numeric>
#include <vector>

#include <graft/nn/rows.hpp>
#include <graft/ops/linear_cross_entropy.hpp>
#include <graft/ops/sum.hpp>
#include <graft/train/batches.hpp>

namespace graft {

/// Σ w over a batch's targets.
[[nodiscard]] inline double target_weight(Targets const& targets) {
  if (targets.weights.empty()) return static_cast<double>(targets.size());
  return std::accumulate(targets.weights.begin(), targets.weights.end(), 0.0);
}

/// −Σ w·log p / normaliser, as a scalar to go back from. Gradients of several batches of one step add up to that of the
/// whole step when each has the weight of the whole as its normaliser.
/// @throws ShapeError if the scores are not those of these targets
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> token_loss(TargetScores<Scalar, Device> const& scores, Targets const& targets,
                                                  double normaliser) {
  std::vector<double> weights = targets.weights;
  weights.resize(static_cast<std::size_t>(targets.size()), 1.0);
  for (double& weight : weights) weight /= -normaliser;
  return weighted_sum(scores.log_probability, staged<Device>(tensor_of<Scalar>(Shape{targets.size()}, weights)));
}

/// The tokens that a batch of this example holds.
[[nodiscard]] inline Index row_length(TokenizedExample const& example) {
  return static_cast<Index>(example.source.size() + example.target.size()) - (example.target.empty() ? 0 : 1);
}
[[nodiscard]] inline std::vector<Index> row_lengths(std::vector<TokenizedExample> const& examples) {
  std::vector<Index> lengths(examples.size());
  std::transform(examples.begin(), examples.end(), lengths.begin(), row_length);
  return lengths;
}

/// Appends an example as the model wants it, by its `append`, or as a row of a causal language model.
template <class Model>
void append_example(Model const& model, Batch& batch, TokenizedExample const& example) {
  if constexpr (requires { model.append(batch, example); })
    model.append(batch, example);
  else
    append_causal_row(batch, example);
}

/// Whether a model packs examples so that what they have in common is computed once.
template <class Model>
concept SharesSources = requires(Model const& model, std::vector<TokenizedExample> const& examples) {
  { model.pack_shared(examples) } -> std::same_as<Batch>;
};

/// The examples at `indices` as one batch. @param share by the model's `pack_shared`, if it has one
template <class Model>
[[nodiscard]] Batch pack_selected(Model const& model, std::vector<TokenizedExample> const& examples,
                                  std::vector<Index> const& indices, bool share = false) {
  if constexpr (SharesSources<Model>)
    if (share) {
      std::vector<TokenizedExample> chosen;
      for (Index i : indices) chosen.push_back(examples[static_cast<std::size_t>(i)]);
      return model.pack_shared(chosen);
    }
  Batch batch;
  for (Index i : indices) append_example(model, batch, examples[static_cast<std::size_t>(i)]);
  return batch;
}

/// The examples from number `next` on as one batch, as many as `max_tokens` allows and at least one; moves `next`
/// behind them. @param share whether those of one pass share sources (`pack_shared`); what neighbours share counts once
template <class Model>
[[nodiscard]] Batch next_pass(Model const& model, std::vector<TokenizedExample> const& examples, std::size_t& next,
                              Index max_tokens, bool share = false) {
  if constexpr (requires { model.info().classifies; }) share = share && !model.info().classifies;
  if constexpr (SharesSources<Model>)
    if (share) {
      std::vector<Index> chosen;
      Index before = 0, apart = 0, same = 0;  // tokens of earlier sources, those of this one if apart, its examples
      auto const tokens = [&](TokenizedExample const& of) {
        return apart - saved_tokens(same, static_cast<Index>(of.source.size()) - 1);
      };
      for (; next < examples.size(); ++next) {
        auto const& example = examples[next];
        if (!chosen.empty() && source_key(example) != source_key(examples[next - 1])) {
          before += tokens(examples[next - 1]);
          apart = same = 0;
        }
        apart += row_length(example), ++same;
        if (!chosen.empty() && before + tokens(example) > max_tokens) break;
        chosen.push_back(static_cast<Index>(next));
      }
      return pack_selected(model, examples, chosen, true);
    }
  Batch batch;
  do append_example(model, batch, examples[next++]);
  while (next < examples.size() &&
         batch.rows.tokens() + batch.source.tokens() + row_length(examples[next]) <= max_tokens);
  return batch;
}

/// Mean −log p (natural logarithm) of all target tokens, without dropout and without recording.
/// Passes take the examples in their order, as many as
/// `max_tokens` allows. @param share_sources whether those of one pass share sources: the same loss up to rounding, in
/// less time
/// @throws ConfigError without target tokens
template <class Model>
[[nodiscard]] double evaluate_loss(Model& model, std::vector<TokenizedExample> const& examples, Index max_tokens = 2048,
                                   bool share_sources = false) {
  NoGrad const no_grad;
  double sum = 0, weight = 0;
  for (std::size_t i = 0; i < examples.size();) {
    Batch const batch = next_pass(model, examples, i, max_tokens, share_sources);
    Targets const& targets = batch.rows.targets;
    if (targets.size() == 0) continue;
    auto const scores = model.scores(batch);
    auto const log_probability = downloaded(scores.log_probability.value());
    for (Index k = 0; k < targets.size(); ++k) {
      double const own = targets.weights.empty() ? 1.0 : targets.weights[static_cast<std::size_t>(k)];
      sum -= own * static_cast<double>(log_probability.data()[k]);
    }
    weight += target_weight(targets);
  }
  if (weight <= 0)
    fail<ConfigError>("[evaluate_loss] got ", examples.size(),
                      " examples without target tokens; expected at least one target token");
  return sum / weight;
}

}  // namespace graft
