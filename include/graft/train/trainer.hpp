/// @file
/// @brief `Trainer(settings).fit(model, examples, tokenizer)`: trains a model's adaptation on sources and targets.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include <graft/data/fit_rows.hpp>
#include <graft/data/template.hpp>
#include <graft/train/training_run.hpp>

namespace graft {

/// Minimises the mean −log p of target tokens, or an objective of one's own (`TrainingObjective`), over the model's
/// trainable parameters, with AdamW or Adafactor. The order
/// of examples, dropout and every reduction are functions of the settings alone: the same call gives the same numbers,
/// whatever the number of threads, and a resumed training ends in the same bits as one that was never stopped.
///
///     graft::Trainer const trainer({.epochs = 5, .learning_rate = 8e-5});
///     graft::TrainingReport report = trainer.fit(model, examples, tokenizer);
class Trainer {
 public:
  /// @throws ConfigError for settings out of range
  explicit Trainer(Training settings = {}) : settings_(std::move(settings)) { check_settings(settings_); }

  [[nodiscard]] Training const& settings() const { return settings_; }

  /// Trains on tokens. Examples get their index as id where theirs are not all different.
  /// @throws ConfigError (nothing to train, an example that is too long for the model: nothing is computed then, a
  /// checkpoint of another training), NumericError (loss or gradient not finite; parameters stay as after the step
  /// before), FileError (checkpoint or log cannot be written or read), and what the model throws
  template <TrainableModel Model>
  TrainingReport fit(Model& model, std::vector<TokenizedExample> training,
                     std::vector<TokenizedExample> validation = {}) const {
    Truncation cut = limit_lengths(training, {settings_.max_source, settings_.max_target});
    add(cut, limit_lengths(validation, {settings_.max_source, settings_.max_target}));
    return fit_limited(model, std::move(training), std::move(validation), cut, TokenObjective{});
  }
  /// The same with a loss of one's own, which validation takes too: so patience and checkpoints go by it. It must live
  /// as long as the call.
  template <TrainableModel Model, TrainingObjective<Model> Objective>
  TrainingReport fit(Model& model, std::vector<TokenizedExample> training, std::vector<TokenizedExample> validation,
                     Objective const& objective) const {
    Truncation cut = limit_lengths(training, {settings_.max_source, settings_.max_target});
    add(cut, limit_lengths(validation, {settings_.max_source, settings_.max_target}));
    return fit_limited(model, std::move(training), std::move(validation), cut, objective);
  }

  /// Trains on texts, encoded as the template says (see `TemplateEncoder`, which generation uses too).
  template <TrainableModel Model, class Tokenizer>
  TrainingReport fit(Model& model, std::vector<Example> const& training, std::vector<Example> const& validation,
                     Tokenizer const& tokenizer, Template const& form = Template::of_model<Model>()) const {
    return fit(model, training, validation, tokenizer, form, TokenObjective{});
  }
  template <TrainableModel Model, class Tokenizer, TrainingObjective<Model> Objective>
  TrainingReport fit(Model& model, std::vector<Example> const& training, std::vector<Example> const& validation,
                     Tokenizer const& tokenizer, Template const& form, Objective const& objective) const {
    TemplateEncoder<Tokenizer> const encoder(tokenizer, form, {settings_.max_source, settings_.max_target});
    Truncation cut;
    auto encoded = encoder.encode(training, cut);
    auto encoded_validation = encoder.encode(validation, cut);
    return fit_limited(model, std::move(encoded), std::move(encoded_validation), cut, objective);
  }
  template <TrainableModel Model, class Tokenizer>
  TrainingReport fit(Model& model, std::vector<Example> const& training, Tokenizer const& tokenizer,
                     Template const& form = Template::of_model<Model>()) const {
    return fit(model, training, std::vector<Example>{}, tokenizer, form);
  }

 private:
  template <TrainableModel Model, TrainingObjective<Model> Objective>
  TrainingReport fit_limited(Model& model, std::vector<TokenizedExample> training,
                             std::vector<TokenizedExample> validation, Truncation const& cut,
                             Objective const& objective) const {
    if (training.empty()) fail<ConfigError>("[Trainer] got no training examples; expected at least one");
    number(training);
    for (auto const& examples : {&training, &validation})
      for (std::size_t i = 0; i < examples->size(); ++i)
        if ((*examples)[i].source.empty() || (*examples)[i].target.empty())
          fail<ConfigError>("[Trainer] got an example (", examples == &training ? "training" : "validation", " number ",
                            i, ") without ", (*examples)[i].source.empty() ? "source" : "target",
                            " tokens; expected at least one of each");
    check_sharing(model);
    check_keeping(model);
    // before the first step: a long row must not end a training in its midst
    if constexpr (requires { model.additions(); }) {
      for (auto* examples : {&training, &validation})
        for (std::size_t i = 0; i < examples->size(); ++i)
          if (!model.has_adapter((*examples)[i].adapter))
            fail<ConfigError>("[Trainer] ", examples == &training ? "training" : "validation", " example ", i,
                              " names adapter ", (*examples)[i].adapter, "; expected one of the table, or −1 for none");
      RowLimits const limits(model);
      for (auto* examples : {&training, &validation})
        fit_rows(*examples, limits, TooLong::refuse, 1, [&](std::size_t i) {
          return cat("[Trainer] ", examples == &training ? "training" : "validation", " example ", i);
        });
    }
    return detail::TrainingRun<Model, Objective>(settings_, model, training, validation, cut, objective).run();
  }

  /// Shared sources need a model that packs them, and examples of which several may have one.
  template <class Model>
  void check_sharing([[maybe_unused]] Model const& model) const {
    if (!settings_.share_sources) return;
    if constexpr (!SharesSources<Model>)
      fail<ConfigError>("[Trainer] got share_sources for a model without pack_shared; expected a graft::Transformer");
    if constexpr (requires { model.info().classifies; })
      if (model.info().classifies)
        fail<ConfigError>(
            "[Trainer] got share_sources for a classifier, whose sources have one class each; expected a "
            "model that writes text");
  }
  /// States are kept of layers that never change.
  template <class Model>
  void check_keeping([[maybe_unused]] Model const& model) const {
    if (settings_.keep_frozen == 0) return;
    if constexpr (requires { model.frozen_layers(); } && requires(Model& kept) { kept.keep_frozen_states(1U); }) {
      if (model.frozen_layers() == 0 && !detail::begins_frozen(model))
        fail<ConfigError>("[Trainer] got keep_frozen ", settings_.keep_frozen,
                          ", but no layer stays as it is below the lowest that the strategy acts on; expected 0; hint: "
                          "top_layers leaves the others as they are, infix the source's states");
    } else {
      fail<ConfigError>("[Trainer] got keep_frozen ", settings_.keep_frozen,
                        " for a model without frozen_layers; expected 0, or a graft::Transformer");
    }
  }
  static void number(std::vector<TokenizedExample>& examples) {
    std::vector<std::uint64_t> ids;
    for (auto const& example : examples) ids.push_back(example.id);
    std::sort(ids.begin(), ids.end());
    if (std::adjacent_find(ids.begin(), ids.end()) == ids.end()) return;
    for (std::size_t i = 0; i < examples.size(); ++i) examples[i].id = i;
  }
  static void add(Truncation& sum, Truncation const& more) {
    sum.sources += more.sources, sum.targets += more.targets;
    sum.source_tokens += more.source_tokens, sum.target_tokens += more.target_tokens;
  }

  Training settings_;
};

}  // namespace graft
