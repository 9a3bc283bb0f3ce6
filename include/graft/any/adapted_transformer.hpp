/// @file
/// @brief The one template behind `ErasedTransformer`: a model of one architecture with one strategy.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include <graft/any/erased_transformer.hpp>
#include <graft/models/transformer.hpp>

namespace graft::any {

/// @tparam Model a `Transformer`
/// @tparam Interface its `ErasedTransformer`, or a class that derives from it
template <class Model,
          class Interface = ErasedTransformer<typename Model::activation_type, typename Model::device_type>>
class AdaptedTransformer : public Interface {
  using Scalar = typename Model::scalar_type;
  using Device = typename Model::device_type;

 public:
  using typename Interface::Cache, typename Interface::Logits, typename Interface::Prepared,
      typename Interface::Sources, typename Interface::Value;

  explicit AdaptedTransformer(Model model) : model_(std::move(model)) {}

  ModelConfig const& config() const override { return model_.config(); }
  ModelInfo const& info() const override { return model_.info(); }
  std::vector<Parameter<Scalar, Device>*> parameters() override { return model_.parameters(); }
  ParameterCounts parameter_counts() const override { return model_.parameter_counts(); }
  void append(Batch& batch, TokenizedExample const& example) const override { model_.append(batch, example); }
  Batch pack_shared(std::vector<TokenizedExample> const& examples) const override {
    return model_.pack_shared(examples);
  }
  TargetScores<Scalar, Device> scores(Batch const& batch) const override { return model_.scores(batch); }
  Additions additions() const override { return model_.additions(); }
  bool has_adapter(Index adapter) const override { return model_.has_adapter(adapter); }
  Index frozen_layers() const override { return model_.frozen_layers(); }
  bool frozen_beginnings() const override { return model_.frozen_beginnings(); }
  void keep_frozen_states(std::size_t bytes) override { model_.keep_frozen_states(bytes); }
  std::size_t bytes_to_keep(TokenizedExample const& example) const override { return model_.bytes_to_keep(example); }
  std::size_t kept_bytes() const override { return model_.kept_bytes(); }
  Prepared prepare(StepContext const& context) const override {
    return std::make_shared<typename Model::Prepared const>(model_.prepare(context));
  }
  Logits logits(Batch const& batch, Cache const* cache) const override { return model_.logits(batch, cache); }
  Logits logits(Batch const& batch, Prepared const& prepared, Cache const* cache) const override {
    return model_.logits(batch, own(prepared), cache);
  }
  Value hidden_states(Batch const& batch, Prepared const& prepared, Cache const* cache) const override {
    return model_.hidden_states(batch, own(prepared), cache);
  }
  Sources encode_sources(Batch const& batch, [[maybe_unused]] Prepared const& prepared) const override {
    if constexpr (Model::has_encoder)
      return model_.encode_sources(batch, own(prepared));
    else
      fail<ConfigError>("[encode_sources] got a ", config().architecture,
                        " model; expected one with an encoder and a decoder");
  }

 protected:
  Model model_;

 private:
  [[nodiscard]] static typename Model::Prepared const& own(Prepared const& prepared) {
    return *static_cast<typename Model::Prepared const*>(prepared.get());
  }
};

}  // namespace graft::any
