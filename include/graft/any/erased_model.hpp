/// @file
/// @brief What training and generation ask of a model, behind virtual functions: they compile once for all
/// architectures and strategies.
#pragma once

#include <filesystem>
#include <memory>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include <graft/adaptation/hooks.hpp>
#include <graft/inspect/inspection.hpp>
#include <graft/inspect/near_words.hpp>
#include <graft/io/adapter_folder.hpp>
#include <graft/models/cache.hpp>
#include <graft/models/config.hpp>
#include <graft/nn/model_info.hpp>
#include <graft/nn/rows.hpp>
#include <graft/ops/linear_cross_entropy.hpp>

namespace graft::any {

/// A float32 transformer with a strategy; the functions are those of `Transformer`.
class ErasedModel {
 public:
  using scalar_type = float;
  using device_type = Cpu;
  using Value = Variable<float>;
  using Cache = CacheView<float>;
  using Prepared = std::shared_ptr<void const>;  ///< of `prepare` of the same model
  using Sources = std::pair<KeyValueCache<float>, std::vector<CacheExtent>>;

  virtual ~ErasedModel() = default;
  [[nodiscard]] virtual ModelConfig const& config() const = 0;
  [[nodiscard]] virtual ModelInfo const& info() const = 0;
  [[nodiscard]] virtual std::vector<Parameter<float>*> parameters() = 0;
  [[nodiscard]] virtual ParameterCounts parameter_counts() const = 0;
  virtual void append(Batch& batch, TokenizedExample const& example) const = 0;
  [[nodiscard]] virtual Prepared prepare(StepContext const& context) const = 0;
  [[nodiscard]] virtual TargetScores<float, Cpu> scores(Batch const& batch) const = 0;
  [[nodiscard]] virtual Value logits(Batch const& batch, Cache const* cache = nullptr) const = 0;
  [[nodiscard]] virtual Value logits(Batch const& batch, Prepared const& prepared,
                                     Cache const* cache = nullptr) const = 0;
  [[nodiscard]] virtual Value hidden_states(Batch const& batch, Prepared const& prepared,
                                            Cache const* cache = nullptr) const = 0;
  /// @throws ConfigError for a model without an encoder beside its decoder
  [[nodiscard]] virtual Sources encode_sources(Batch const& batch, Prepared const& prepared) const = 0;
  [[nodiscard]] virtual Additions additions() const = 0;
  [[nodiscard]] virtual bool has_adapter(Index adapter) const = 0;
  /// What `graft::inspect` and `graft::nearest_words` give of the model.
  [[nodiscard]] virtual Inspection inspect(Batch const& batch, InspectSettings const& settings) const = 0;
  [[nodiscard]] virtual std::vector<VirtualTokenWords> nearest_words(Index count) const = 0;
  /// What `model_identity` gives of the model.
  [[nodiscard]] virtual nlohmann::json identity() const = 0;
  /// Writes the adapter folder (PEFT's where PEFT has the strategy, unless the options say otherwise).
  virtual void save(std::filesystem::path const& folder, AdapterOptions const& options) = 0;
  /// Writes the base with the adapter in its weights. @throws ConfigError for a strategy that is not in them
  virtual void save_merged(std::filesystem::path const& folder) = 0;
};

/// The same as generation sees it, which has to know at compile time whether there is an encoder.
template <bool encoder>
class Writing {
 public:
  using scalar_type = float;
  using activation_type = float;
  using device_type = Cpu;
  static constexpr bool has_encoder = encoder;

  using Prepared = ErasedModel::Prepared;
  using Cache = ErasedModel::Cache;

  explicit Writing(ErasedModel const& model) : model_(model) {}
  [[nodiscard]] ModelConfig const& config() const { return model_.config(); }
  [[nodiscard]] ModelInfo const& info() const { return model_.info(); }
  void append(Batch& batch, TokenizedExample const& example) const { model_.append(batch, example); }
  [[nodiscard]] Prepared prepare(StepContext const& context) const { return model_.prepare(context); }
  [[nodiscard]] ErasedModel::Value logits(Batch const& batch, Prepared const& prepared,
                                          Cache const* cache = nullptr) const {
    return model_.logits(batch, prepared, cache);
  }
  [[nodiscard]] ErasedModel::Value hidden_states(Batch const& batch, Prepared const& prepared,
                                                 Cache const* cache = nullptr) const {
    return model_.hidden_states(batch, prepared, cache);
  }
  [[nodiscard]] ErasedModel::Sources encode_sources(Batch const& batch, Prepared const& prepared) const {
    return model_.encode_sources(batch, prepared);
  }
  [[nodiscard]] Additions additions() const { return model_.additions(); }
  [[nodiscard]] bool has_adapter(Index adapter) const { return model_.has_adapter(adapter); }

 private:
  ErasedModel const& model_;
};

}  // namespace graft::any
