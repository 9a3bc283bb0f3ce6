/// @file
/// @brief What a training minimises: by default the mean −log p of target tokens, or a loss of one's own.
#pragma once

#include <concepts>
#include <string>
#include <type_traits>
#include <vector>

#include <graft/train/loss.hpp>
#include <graft/train/trainable_model.hpp>

namespace graft {

/// A loss that `Trainer::fit` can minimise. With the batches B of one optimizer step, the step's loss is
/// Σ_b sum(b) / Σ_b weight(b); validation takes the same over all its examples.
///
/// - `loss(model, batch, normaliser)` is sum(batch) / normaliser as a recorded scalar. `batch.rows.training` says
///   whether dropout acts, `batch.rows.examples` which example each row is. Where sources are shared
///   (`Training::share_sources`), rows without targets hold beginnings of others; their number names no example.
/// - `identity()` names the objective with all its settings: a checkpoint of another one is not gone on with.
/// - `weight(batch)`, if it is there, is how much the batch counts; else it is the weight of its targets.
template <class Objective, class Model>
concept TrainingObjective =
    TrainableModel<Model> && requires(Objective const& objective, Model& model, Batch const& batch) {
      { objective.loss(model, batch, 1.0) } -> std::same_as<Variable<ScalarOf<Model>, DeviceOf<Model>>>;
      { objective.identity() } -> std::convertible_to<std::string>;
    };

/// −Σ w·log p(target) / Σ w over the target tokens.
struct TokenObjective {
  template <TrainableModel Model>
  [[nodiscard]] auto loss(Model& model, Batch const& batch, double normaliser) const {
    return token_loss(model.scores(batch), batch.rows.targets, normaliser);
  }
  /// Empty: a checkpoint names an objective of one's own alone.
  [[nodiscard]] std::string identity() const { return {}; }
};

/// How much a batch counts in the mean that an objective is.
template <class Objective>
[[nodiscard]] double objective_weight(Objective const& objective, Batch const& batch) {
  if constexpr (requires { objective.weight(batch); })
    return objective.weight(batch);
  else
    return target_weight(batch.rows.targets);
}

/// The objective over all examples, without dropout and without recording. Passes take the examples in their order, as
/// many as `max_tokens` allows, and share sources as in `evaluate_loss`, which it is for a `TokenObjective`.
/// @throws ConfigError where the examples weigh nothing
template <class Model, TrainingObjective<Model> Objective>
[[nodiscard]] double evaluate_objective(Model& model, Objective const& objective,
                                        std::vector<TokenizedExample> const& examples, Index max_tokens = 2048,
                                        bool share_sources = false) {
  if constexpr (std::is_same_v<Objective, TokenObjective>) {
    return evaluate_loss(model, examples, max_tokens, share_sources);
  } else {
    NoGrad const no_grad;
    double sum = 0, weight = 0;
    for (std::size_t i = 0; i < examples.size();) {
      Batch const batch = next_pass(model, examples, i, max_tokens, share_sources);
      sum += static_cast<double>(downloaded(objective.loss(model, batch, 1.0).value()).data()[0]);
      weight += objective_weight(objective, batch);
    }
    if (!(weight > 0))
      fail<ConfigError>("[evaluate_objective] got ", examples.size(), " examples of the weight ", weight,
                        "; expected more than 0");
    return sum / weight;
  }
}

}  // namespace graft
