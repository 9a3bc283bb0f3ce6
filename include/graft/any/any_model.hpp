/// @file
/// @brief A model whose architecture and strategy are known only at run time, for programs that offer all of them.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include <graft/adaptation/combination.hpp>
#include <graft/generate/result.hpp>
#include <graft/generate/settings.hpp>
#include <graft/inspect/inspection.hpp>
#include <graft/inspect/near_words.hpp>
#include <graft/io/adapter_base.hpp>
#include <graft/io/adapter_folder.hpp>
#include <graft/models/config.hpp>
#include <graft/models/row_limits.hpp>
#include <graft/nn/model_info.hpp>
#include <graft/nn/rows.hpp>
#include <graft/train/training.hpp>

#include <graft/any/choice.hpp>

namespace graft::any {

using GenerationSettings = std::variant<Greedy, Sampling, BeamSearch>;

class ErasedModel;

/// A base model with one strategy, whichever they are. Everything in it is float32.
class AnyModel {
 public:
  explicit AnyModel(std::unique_ptr<ErasedModel> model);
  ~AnyModel();
  [[nodiscard]] ModelConfig const& config() const;
  [[nodiscard]] ParameterCounts parameter_counts();
  /// How long its rows may be, virtual tokens taken off.
  [[nodiscard]] RowLimits row_limits();
  /// The strategy with all its settings, and the base's weights and configuration, as `model_identity` gives them:
  /// {"strategy": {"graft_type": "lora", "settings": {"rank": 8, …}, …}, "base": {…}}.
  [[nodiscard]] nlohmann::json identity() const;
  /// Names and sizes of what is trained.
  [[nodiscard]] std::vector<std::pair<std::string, Shape>> parameters();
  TrainingReport fit(Training const& settings, std::vector<TokenizedExample> training,
                     std::vector<TokenizedExample> validation);
  /// One AdamW step on one batch (decay 0.01, no clipping), in passes of at most `max_tokens`; returns the loss before
  /// it.
  double step(std::vector<TokenizedExample> const& batch, double learning_rate, Index max_tokens);
  /// Mean −log p of all target tokens.
  [[nodiscard]] double loss(std::vector<TokenizedExample> const& examples);
  /// @throws ConfigError for a classifier
  [[nodiscard]] Generations generate(std::vector<std::vector<Token>> const& prompts, GenerationSettings const& settings,
                                     Index at_once = 32);
  /// The most probable class of every example. @throws ConfigError for a model that writes text
  [[nodiscard]] std::vector<Token> classify(std::vector<TokenizedExample> const& examples, Index at_once = 32);
  /// What every layer computes of one example; see `graft::inspect`.
  [[nodiscard]] Inspection inspect(TokenizedExample const& example, InspectSettings const& settings = {}) const;
  /// The words nearest to the strategy's virtual tokens; see `graft::nearest_words`.
  [[nodiscard]] std::vector<VirtualTokenWords> nearest_words(Index count) const;
  /// Writes the adapter folder (PEFT's where PEFT has the strategy, unless the options say otherwise).
  void save(std::filesystem::path const& folder, AdapterOptions const& options = {});
  /// Writes the base with the adapter in its weights. @throws ConfigError for a strategy that is not in them
  void save_merged(std::filesystem::path const& folder);
  /// The model behind virtual functions (`graft/any/erased_model.hpp`), for a loop of one's own over its logits,
  /// scores and parameters.
  [[nodiscard]] ErasedModel& erased();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

/// A loaded base model, to be adapted in several ways.
class AnyBase {
 public:
  virtual ~AnyBase() = default;
  [[nodiscard]] virtual ModelConfig const& config() const = 0;
  [[nodiscard]] virtual ModelInfo const& info() const = 0;
  /// @throws ConfigError as `check`
  [[nodiscard]] virtual std::unique_ptr<AnyModel> adapt(Choice const& choice) const = 0;
  /// The model with a saved adapter.
  [[nodiscard]] virtual std::unique_ptr<AnyModel> load(std::filesystem::path const& adapter,
                                                       LoadOptions const& options = {}) const = 0;
  /// The model with the weighted sum of saved adapters, at least one. @throws FileError for strategies without weighted
  /// sums
  [[nodiscard]] virtual std::unique_ptr<AnyModel> combine(
      std::vector<std::pair<std::filesystem::path, double>> const& adapters, CombineSettings const& settings,
      LoadOptions const& options = {}) const = 0;
};

/// A Hugging Face folder or GGUF file, for the strategies of the list `Strategies`.
/// @throws FileError for what cannot be read, and for an architecture that graft lacks
[[nodiscard]] std::unique_ptr<AnyBase> load_base(std::filesystem::path const& path);

}  // namespace graft::any
