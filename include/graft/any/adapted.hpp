/// @file
/// @brief The one template behind `ErasedModelOf`: what `AdaptedTransformer` lacks of it.
#pragma once

#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <graft/adaptation/embedding_only.hpp>
#include <graft/adaptation/prefix_tuning.hpp>
#include <graft/adaptation/prompt_tuning.hpp>
#include <graft/any/adapted_transformer.hpp>
#include <graft/any/any_model.hpp>
#include <graft/any/erased_model.hpp>
#include <graft/inspect/inspect.hpp>
#include <graft/inspect/nearest_words.hpp>
#include <graft/io/adapter.hpp>
#include <graft/io/save_pretrained.hpp>
#include <graft/models/adapt.hpp>
#include <graft/models/merge.hpp>
#include <graft/models/prefix_scope.hpp>
#include <graft/models/to_device.hpp>
#include <graft/train/model_identity.hpp>

namespace graft::any {

/// Embeddings at the front are prompt tuning under another name, which PEFT has a format for; files hold both without
/// the MLP.
template <Architecture A, class Activation, class Device>
[[nodiscard]] auto as_prompt_tuning(Transformer<A, EmbeddingOnly, Activation, Device> model) {
  auto const& own = model.settings();
  PromptTuning settings{.length = own.length,
                        .init = Init::normal,
                        .side = own.side,
                        .place = own.place,
                        .positions = own.positions,
                        .pooling = own.pooling};
  auto result = adapt<PrecisionOf<Activation>>(model.base(), std::move(settings));
  result.state().adopt(downloaded(model.state().embeddings().values()));
  return result;
}

template <class Model>
using ErasedModelFor = ErasedModelOf<typename Model::activation_type, typename Model::device_type>;

template <class Model>
class Adapted final : public AdaptedTransformer<Model, ErasedModelFor<Model>> {
  using Strategy = typename Model::adaptation_type;
  using Erased = AdaptedTransformer<Model, ErasedModelFor<Model>>;
  using Erased::model_;

 public:
  using Erased::Erased;

  Inspection inspect(Batch const& batch, InspectSettings const& settings) const override {
    return graft::inspect(model_, batch, settings);
  }
  std::vector<VirtualTokenWords> nearest_words(Index count) const override {
    return graft::nearest_words(model_, count);
  }
  nlohmann::json identity() const override { return model_identity(model_); }
  void save(std::filesystem::path const& folder, AdapterOptions const& options) override {
    if constexpr (std::is_same_v<Strategy, EmbeddingOnly>)
      if (options.format == AdapterFormat::peft) return save_adapter(as_prompt_tuning(model_), folder, options);
    if constexpr (std::is_same_v<Strategy, PrefixTuning>)
      if (auto const scope = other_scope(options.format))
        return save_adapter(with_scope(model_, *scope), folder, options);
    save_adapter(model_, folder, options);
  }
  void save_merged(std::filesystem::path const& folder) override {
    if constexpr (can_merge<Strategy, typename Model::scalar_type, typename Model::device_type>)
      save_pretrained(on_host(merge(model_)), folder);
    else
      fail<ConfigError>(
          "[merge] got an adapter of the strategy ", Strategy::name,
          ", which is not in the base's weights; expected lora, ia3, bitfit or one that trains the weights themselves");
  }

 private:
  template <class Base>
  [[nodiscard]] static auto on_host(Base base) {
    if constexpr (std::is_same_v<typename Model::device_type, Cpu>)
      return base;
    else
      return to_device<Cpu>(base);
  }
  /// The layout in which the format that is asked for has a prefix of a decoder with cross-attention, if it is not in
  /// it.
  [[nodiscard]] std::optional<PrefixScope> other_scope(AdapterFormat format) const {
    if (!model_.info().main().crosses || format == AdapterFormat::automatic) return std::nullopt;
    PrefixScope const own = model_.settings().scope,
                      wanted = format == AdapterFormat::peft ? PrefixScope::peft_decoder : PrefixScope::decoder;
    return own == PrefixScope::all || own == wanted ? std::nullopt : std::optional(wanted);
  }
};

template <class Model>
[[nodiscard]] std::unique_ptr<AnyModel> wrap(Model model) {
  return make_model<typename Model::activation_type, typename Model::device_type>(
      std::make_unique<Adapted<Model>>(std::move(model)));
}

}  // namespace graft::any
