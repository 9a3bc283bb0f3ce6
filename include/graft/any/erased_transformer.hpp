/// @file
/// @brief What training and generation ask of a model, behind virtual functions: they compile once for all
/// architectures and strategies, on the host or on a GPU.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include <graft/adaptation/hooks.hpp>
#include <graft/models/cache.hpp>
#include <graft/models/config.hpp>
#include <graft/nn/model_info.hpp>
#include <graft/nn/rows.hpp>
#include <graft/ops/linear_cross_entropy.hpp>

namespace graft::any {

/// What training asks; the functions are those of `Transformer`. Models of different precisions have this in common.
/// @tparam Scalar the type of the parameters: float or double
template <class Scalar, class Device>
class ErasedTrainable {
 public:
  using scalar_type = Scalar;
  using device_type = Device;

  virtual ~ErasedTrainable() = default;
  [[nodiscard]] virtual ModelConfig const& config() const = 0;
  [[nodiscard]] virtual ModelInfo const& info() const = 0;
  [[nodiscard]] virtual std::vector<Parameter<Scalar, Device>*> parameters() = 0;
  [[nodiscard]] virtual ParameterCounts parameter_counts() const = 0;
  virtual void append(Batch& batch, TokenizedExample const& example) const = 0;
  [[nodiscard]] virtual Batch pack_shared(std::vector<TokenizedExample> const& examples) const = 0;
  [[nodiscard]] virtual TargetScores<Scalar, Device> scores(Batch const& batch) const = 0;
  [[nodiscard]] virtual Additions additions() const = 0;
  [[nodiscard]] virtual bool has_adapter(Index adapter) const = 0;
  [[nodiscard]] virtual Index frozen_layers() const = 0;
  [[nodiscard]] virtual bool frozen_beginnings() const = 0;
  virtual void keep_frozen_states(std::size_t bytes) = 0;
  [[nodiscard]] virtual std::size_t bytes_to_keep(TokenizedExample const& example) const = 0;
  [[nodiscard]] virtual std::size_t kept_bytes() const = 0;
};

/// What generation asks besides.
/// @tparam Activation the type of the activations: float, double or bfloat16
template <class Activation, class Device>
class ErasedTransformer : public ErasedTrainable<ParameterOf<Activation>, Device> {
 public:
  using activation_type = Activation;  ///< of hidden states and caches
  using Value = Variable<Activation, Device>;
  using Logits = Variable<ParameterOf<Activation>, Device>;  ///< in the type of parameters
  using Cache = CacheView<Activation, Device>;
  using Prepared = std::shared_ptr<void const>;  ///< of `prepare` of the same model
  using Sources = std::pair<KeyValueCache<Activation, Device>, std::vector<CacheExtent>>;

  [[nodiscard]] virtual Prepared prepare(StepContext const& context) const = 0;
  [[nodiscard]] virtual Logits logits(Batch const& batch, Cache const* cache = nullptr) const = 0;
  [[nodiscard]] virtual Logits logits(Batch const& batch, Prepared const& prepared,
                                      Cache const* cache = nullptr) const = 0;
  [[nodiscard]] virtual Value hidden_states(Batch const& batch, Prepared const& prepared,
                                            Cache const* cache = nullptr) const = 0;
  /// @throws ConfigError for a model without an encoder beside its decoder
  [[nodiscard]] virtual Sources encode_sources(Batch const& batch, Prepared const& prepared) const = 0;
};

/// The same as generation sees it, which has to know at compile time whether there is an encoder.
template <bool encoder, class Activation = float, class Device = Cpu>
class Writing {
  using Model = ErasedTransformer<Activation, Device>;

 public:
  using scalar_type = ParameterOf<Activation>;
  using activation_type = Activation;
  using device_type = Device;
  static constexpr bool has_encoder = encoder;

  using Prepared = typename Model::Prepared;
  using Cache = typename Model::Cache;

  explicit Writing(Model const& model) : model_(model) {}
  [[nodiscard]] ModelConfig const& config() const { return model_.config(); }
  [[nodiscard]] ModelInfo const& info() const { return model_.info(); }
  void append(Batch& batch, TokenizedExample const& example) const { model_.append(batch, example); }
  [[nodiscard]] Prepared prepare(StepContext const& context) const { return model_.prepare(context); }
  [[nodiscard]] typename Model::Logits logits(Batch const& batch, Prepared const& prepared,
                                              Cache const* cache = nullptr) const {
    return model_.logits(batch, prepared, cache);
  }
  [[nodiscard]] typename Model::Value hidden_states(Batch const& batch, Prepared const& prepared,
                                                    Cache const* cache = nullptr) const {
    return model_.hidden_states(batch, prepared, cache);
  }
  [[nodiscard]] typename Model::Sources encode_sources(Batch const& batch, Prepared const& prepared) const {
    return model_.encode_sources(batch, prepared);
  }
  [[nodiscard]] Additions additions() const { return model_.additions(); }
  [[nodiscard]] bool has_adapter(Index adapter) const { return model_.has_adapter(adapter); }

 private:
  Model const& model_;
};

}  // namespace graft::any
