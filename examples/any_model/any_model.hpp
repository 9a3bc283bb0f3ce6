/// @file
/// @brief A model whose architecture and strategy are known only at run time, for programs that offer all of them.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

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

#include "method.hpp"

namespace any_model {

using GenerationSettings = std::variant<graft::Greedy, graft::Sampling, graft::BeamSearch>;

class ErasedModel;

/// A base model with one strategy, whichever they are. Everything in it is float32.
class AnyModel {
 public:
  explicit AnyModel(std::unique_ptr<ErasedModel> model);
  ~AnyModel();
  [[nodiscard]] graft::ModelConfig const& config() const;
  [[nodiscard]] graft::ParameterCounts parameter_counts();
  /// How long its rows may be, virtual tokens taken off.
  [[nodiscard]] graft::RowLimits row_limits();
  /// Names and sizes of what is trained.
  [[nodiscard]] std::vector<std::pair<std::string, graft::Shape>> parameters();
  graft::TrainingReport fit(graft::Training const& settings, std::vector<graft::TokenizedExample> training,
                            std::vector<graft::TokenizedExample> validation);
  /// One AdamW step on one batch (decay 0.01, no clipping), in passes of at most `max_tokens`; returns the loss before
  /// it.
  double step(std::vector<graft::TokenizedExample> const& batch, double learning_rate, graft::Index max_tokens);
  /// Mean −log p of all target tokens.
  [[nodiscard]] double loss(std::vector<graft::TokenizedExample> const& examples);
  /// @throws ConfigError for a classifier
  [[nodiscard]] graft::Generations generate(std::vector<std::vector<graft::Token>> const& prompts,
                                            GenerationSettings const& settings, graft::Index at_once = 32);
  /// The most probable class of every example. @throws ConfigError for a model that writes text
  [[nodiscard]] std::vector<graft::Token> classify(std::vector<graft::TokenizedExample> const& examples,
                                                   graft::Index at_once = 32);
  /// What every layer computes of one example; see `graft::inspect`.
  [[nodiscard]] graft::Inspection inspect(graft::TokenizedExample const& example,
                                          graft::InspectSettings const& settings = {}) const;
  /// The words nearest to the strategy's virtual tokens; see `graft::nearest_words`.
  [[nodiscard]] std::vector<graft::VirtualTokenWords> nearest_words(graft::Index count) const;
  /// Writes the adapter folder (PEFT's where PEFT has the strategy, unless the options say otherwise).
  void save(std::filesystem::path const& folder, graft::AdapterOptions const& options = {});
  /// Writes the base with the adapter in its weights. @throws ConfigError for a strategy that is not in them
  void save_merged(std::filesystem::path const& folder);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

/// A loaded base model, to be adapted in several ways.
class AnyBase {
 public:
  virtual ~AnyBase() = default;
  [[nodiscard]] virtual graft::ModelConfig const& config() const = 0;
  [[nodiscard]] virtual graft::ModelInfo const& info() const = 0;
  [[nodiscard]] virtual std::unique_ptr<AnyModel> adapt(Method const& method) const = 0;
  /// The model with a saved adapter.
  [[nodiscard]] virtual std::unique_ptr<AnyModel> load(std::filesystem::path const& adapter,
                                                       graft::LoadOptions const& options = {}) const = 0;
  /// The model with the weighted sum of saved adapters, at least one. @throws FileError for strategies without weighted
  /// sums
  [[nodiscard]] virtual std::unique_ptr<AnyModel> combine(
      std::vector<std::pair<std::filesystem::path, double>> const& adapters, graft::CombineSettings const& settings,
      graft::LoadOptions const& options = {}) const = 0;
};

/// A Hugging Face folder or GGUF file.
[[nodiscard]] std::unique_ptr<AnyBase> load_base(std::filesystem::path const& path);
/// Random weights of GPT-2's shape, for measurements.
[[nodiscard]] std::unique_ptr<AnyBase> random_gpt2(graft::Index layers, graft::Index width, graft::Index heads,
                                                   graft::Index vocabulary = 50257, graft::Index positions = 1024);

}  // namespace any_model
