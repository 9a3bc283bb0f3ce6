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
#include <graft/any/placement.hpp>

namespace graft::any {

using GenerationSettings = std::variant<Greedy, Sampling, BeamSearch>;

template <class Activation, class Device>
class ErasedModelOf;
using ErasedModel = ErasedModelOf<float, Cpu>;

/// A base model with one strategy, whichever they are. What is trained is float32.
class AnyModel {
 public:
  virtual ~AnyModel() = default;
  [[nodiscard]] virtual Placement placement() const = 0;
  [[nodiscard]] virtual ModelConfig const& config() const = 0;
  [[nodiscard]] virtual ParameterCounts parameter_counts() = 0;
  /// How long its rows may be, virtual tokens taken off.
  [[nodiscard]] virtual RowLimits row_limits() = 0;
  /// The strategy with all its settings, and the base's weights and configuration, as `model_identity` gives them:
  /// {"strategy": {"graft_type": "lora", "settings": {"rank": 8, …}, …}, "base": {…}}.
  [[nodiscard]] virtual nlohmann::json identity() const = 0;
  /// Names and sizes of what is trained.
  [[nodiscard]] virtual std::vector<std::pair<std::string, Shape>> parameters() = 0;
  virtual TrainingReport fit(Training const& settings, std::vector<TokenizedExample> training,
                             std::vector<TokenizedExample> validation) = 0;
  /// One AdamW step on one batch (decay 0.01, no clipping), in passes of at most `max_tokens`; returns the loss before
  /// it.
  virtual double step(std::vector<TokenizedExample> const& batch, double learning_rate, Index max_tokens) = 0;
  /// Mean −log p of all target tokens.
  [[nodiscard]] virtual double loss(std::vector<TokenizedExample> const& examples) = 0;
  /// @throws ConfigError for a classifier
  [[nodiscard]] virtual Generations generate(std::vector<std::vector<Token>> const& prompts,
                                             GenerationSettings const& settings, Index at_once = 32) = 0;
  /// The most probable class of every example. @throws ConfigError for a model that writes text
  [[nodiscard]] virtual std::vector<Token> classify(std::vector<TokenizedExample> const& examples,
                                                    Index at_once = 32) = 0;
  /// What every layer computes of one example; see `graft::inspect`.
  [[nodiscard]] virtual Inspection inspect(TokenizedExample const& example,
                                           InspectSettings const& settings = {}) const = 0;
  /// The words nearest to the strategy's virtual tokens; see `graft::nearest_words`.
  [[nodiscard]] virtual std::vector<VirtualTokenWords> nearest_words(Index count) const = 0;
  /// Writes the adapter folder (PEFT's where PEFT has the strategy, unless the options say otherwise).
  virtual void save(std::filesystem::path const& folder, AdapterOptions const& options = {}) = 0;
  /// Writes the base with the adapter in its weights. @throws ConfigError for a strategy that is not in them
  virtual void save_merged(std::filesystem::path const& folder) = 0;
  /// The model behind virtual functions (`graft/any/erased_model.hpp`), for a loop of one's own over its logits,
  /// scores and parameters. @throws ConfigError for a model that is not on the host (see `erased_as`)
  [[nodiscard]] ErasedModel& erased();
};

/// The same of a model on a device: `erased_as<bfloat16, Cuda>(model)`.
/// @throws ConfigError for a model in other numbers or on another device
template <class Activation, class Device>
[[nodiscard]] ErasedModelOf<Activation, Device>& erased_as(AnyModel& model);
/// A model whose type is forgotten.
template <class Activation, class Device>
[[nodiscard]] std::unique_ptr<AnyModel> make_model(std::unique_ptr<ErasedModelOf<Activation, Device>> model);

/// A loaded base model, to be adapted in several ways.
class AnyBase {
 public:
  virtual ~AnyBase() = default;
  [[nodiscard]] virtual Placement placement() const = 0;
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

/// A Hugging Face folder or GGUF file, for the strategies of the list `Strategies`. On a GPU, `NumberKind::bf16` rounds
/// all frozen matrices to bfloat16, as PyTorch's `dtype=bfloat16` does; with `fp32` they stay as the file has them.
/// @throws FileError for what cannot be read, and for an architecture that graft lacks, ConfigError as `check`
[[nodiscard]] std::unique_ptr<AnyBase> load_base(std::filesystem::path const& path, Placement const& placement = {});

}  // namespace graft::any
