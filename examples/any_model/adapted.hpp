/// @file
/// @brief The one template behind `ErasedModel`: instantiated for an architecture and every strategy in that
/// architecture's source file.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <graft/inspect/inspect.hpp>
#include <graft/inspect/nearest_words.hpp>
#include <graft/io/adapter.hpp>
#include <graft/io/save_pretrained.hpp>
#include <graft/models/adapt.hpp>
#include <graft/models/combine.hpp>
#include <graft/models/merge.hpp>
#include <graft/models/prefix_scope.hpp>
#include <graft/text/printable.hpp>
#include <graft/train/model_identity.hpp>

#include "any_model.hpp"
#include "erased_model.hpp"
#include "method_settings.hpp"

namespace any_model {

/// Embeddings at the front are prompt tuning under another name, which PEFT has a format for; files hold both without
/// the MLP.
template <graft::Architecture A>
[[nodiscard]] auto as_prompt_tuning(graft::Transformer<A, graft::EmbeddingOnly> model) {
  auto const& own = model.settings();
  graft::PromptTuning settings{.length = own.length,
                               .init = graft::Init::normal,
                               .side = own.side,
                               .place = own.place,
                               .positions = own.positions,
                               .pooling = own.pooling};
  auto result = graft::adapt(model.base(), std::move(settings));
  result.state().adopt(model.state().embeddings().values());
  return result;
}

template <class Model>
class Adapted final : public ErasedModel {
  using Strategy = typename Model::adaptation_type;

 public:
  explicit Adapted(Model model) : model_(std::move(model)) {}

  graft::ModelConfig const& config() const override { return model_.config(); }
  graft::ModelInfo const& info() const override { return model_.info(); }
  std::vector<graft::Parameter<float>*> parameters() override { return model_.parameters(); }
  graft::ParameterCounts parameter_counts() const override { return model_.parameter_counts(); }
  void append(graft::Batch& batch, graft::TokenizedExample const& example) const override {
    model_.append(batch, example);
  }
  Prepared prepare(graft::StepContext const& context) const override {
    return std::make_shared<typename Model::Prepared const>(model_.prepare(context));
  }
  graft::TargetScores<float, graft::Cpu> scores(graft::Batch const& batch) const override {
    return model_.scores(batch);
  }
  Value logits(graft::Batch const& batch, Cache const* cache) const override { return model_.logits(batch, cache); }
  Value logits(graft::Batch const& batch, Prepared const& prepared, Cache const* cache) const override {
    return model_.logits(batch, own(prepared), cache);
  }
  Value hidden_states(graft::Batch const& batch, Prepared const& prepared, Cache const* cache) const override {
    return model_.hidden_states(batch, own(prepared), cache);
  }
  Sources encode_sources(graft::Batch const& batch, [[maybe_unused]] Prepared const& prepared) const override {
    if constexpr (Model::has_encoder)
      return model_.encode_sources(batch, own(prepared));
    else
      graft::fail<graft::ConfigError>("[encode_sources] got a ", config().architecture,
                                      " model; expected one with an encoder and a decoder");
  }
  graft::Additions additions() const override { return model_.additions(); }
  bool has_adapter(graft::Index adapter) const override { return model_.has_adapter(adapter); }
  graft::Inspection inspect(graft::Batch const& batch, graft::InspectSettings const& settings) const override {
    return graft::inspect(model_, batch, settings);
  }
  std::vector<graft::VirtualTokenWords> nearest_words(graft::Index count) const override {
    return graft::nearest_words(model_, count);
  }
  nlohmann::json identity() const override { return graft::model_identity(model_); }
  void save(std::filesystem::path const& folder, graft::AdapterOptions const& options) override {
    if constexpr (std::is_same_v<Strategy, graft::EmbeddingOnly>)
      if (options.format == graft::AdapterFormat::peft)
        return graft::save_adapter(as_prompt_tuning(model_), folder, options);
    if constexpr (std::is_same_v<Strategy, graft::PrefixTuning>)
      if (auto const scope = other_scope(options.format))
        return graft::save_adapter(graft::with_scope(model_, *scope), folder, options);
    graft::save_adapter(model_, folder, options);
  }
  void save_merged(std::filesystem::path const& folder) override {
    if constexpr (graft::can_merge<Strategy>)
      graft::save_pretrained(graft::merge(model_), folder);
    else
      graft::fail<graft::ConfigError>(
          "[merge] got an adapter of the strategy ", Strategy::name,
          ", which is not in the base's weights; expected lora, ia3, bitfit or one that trains the weights themselves");
  }

 private:
  [[nodiscard]] static typename Model::Prepared const& own(Prepared const& prepared) {
    return *static_cast<typename Model::Prepared const*>(prepared.get());
  }
  /// The layout in which the format that is asked for has a prefix of a decoder with cross-attention, if it is not in
  /// it.
  [[nodiscard]] std::optional<graft::PrefixScope> other_scope(graft::AdapterFormat format) const {
    using graft::PrefixScope;
    if (!info().main().crosses || format == graft::AdapterFormat::automatic) return std::nullopt;
    PrefixScope const own = model_.settings().scope,
                      wanted = format == graft::AdapterFormat::peft ? PrefixScope::peft_decoder : PrefixScope::decoder;
    return own == PrefixScope::all || own == wanted ? std::nullopt : std::optional(wanted);
  }

  Model model_;
};

template <class Model>
[[nodiscard]] std::unique_ptr<AnyModel> wrap(Model model) {
  return std::make_unique<AnyModel>(std::make_unique<Adapted<Model>>(std::move(model)));
}

/// Strategies beside the head of a classifier; what trains the model's own weights leaves the head to it.
template <graft::Architecture A, class Settings>
[[nodiscard]] auto with_head(Method const& m, Settings settings) {
  constexpr bool alone =
      std::is_same_v<Settings, graft::NoAdaptation> || std::is_same_v<Settings, graft::ClassificationHead>;
  if constexpr (A::head == graft::HeadKind::classifier && !alone) {
    if constexpr (requires { settings.head; } && !std::is_same_v<Settings, graft::TopLayers>) settings.head = false;
    return graft::compose(std::move(settings), graft::ClassificationHead{.labels = m.labels.value_or(0)});
  } else {
    return settings;
  }
}

/// Turns a method's name into its type.
template <graft::Architecture A>
[[nodiscard]] std::unique_ptr<AnyModel> adapt_by_name(graft::Base<A> const& base, Method const& m) {
  std::unique_ptr<AnyModel> model;
  MethodReader reader(m);
  visit_settings<A::head == graft::HeadKind::classifier>(reader, base->info(), [&](auto settings) {
    model = wrap(graft::adapt(base, with_head<A>(m, std::move(settings)), m.seed));
  });
  if (auto const use = reader.use(); !use.unread.empty())
    graft::fail<graft::ConfigError>("[method] got ", use.unread.front(), ", which ", m.name,
                                    " does not read; expected it left out");
  return model;
}

template <graft::Architecture A>
class BaseOf final : public AnyBase {
 public:
  explicit BaseOf(graft::Base<A> base) : base_(std::move(base)) {}
  graft::ModelConfig const& config() const override { return base_->config(); }
  graft::ModelInfo const& info() const override { return base_->info(); }
  std::unique_ptr<AnyModel> adapt(Method const& method) const override { return adapt_by_name(base_, method); }
  std::unique_ptr<AnyModel> load(std::filesystem::path const& adapter,
                                 graft::LoadOptions const& options = {}) const override {
    using namespace graft;
    std::unique_ptr<AnyModel> model;
    auto const keep = [&](auto loaded) { model = wrap(std::move(loaded)); };
    if constexpr (A::head == HeadKind::classifier)
      visit_adapter<Composed<PrefixTuning, ClassificationHead>, Composed<PromptTuning, ClassificationHead>,
                    Composed<EmbeddingOnly, ClassificationHead>, Composed<BottleneckAdapter, ClassificationHead>,
                    Composed<LoRA, ClassificationHead>, Composed<BitFit, ClassificationHead>,
                    Composed<TopLayers, ClassificationHead>, Composed<FullFineTuning, ClassificationHead>,
                    Composed<IA3, ClassificationHead>, Composed<PTuning, ClassificationHead>,
                    Composed<ParallelAdapter, ClassificationHead>, ClassificationHead, LoRA>(base_, adapter, keep,
                                                                                             options);
    else
      visit_adapter<PrefixTuning, InfixTuning, PromptTuning, EmbeddingOnly, BottleneckAdapter, LoRA, BitFit, TopLayers,
                    FullFineTuning, Composed<PrefixTuning, LoRA>, IA3, PTuning, ParallelAdapter,
                    Composed<PrefixTuning, ParallelAdapter>>(base_, adapter, keep, options);
    return model;
  }
  std::unique_ptr<AnyModel> combine(std::vector<std::pair<std::filesystem::path, double>> const& adapters,
                                    graft::CombineSettings const& settings,
                                    graft::LoadOptions const& options = {}) const override {
    std::unique_ptr<AnyModel> sum;
    graft::visit_adapter<graft::LoRA, graft::IA3>(
        base_, adapters.front().first,
        [&](auto const& first) {
          using Model = std::remove_cvref_t<decltype(first)>;
          graft::AdapterSet<Model> set;
          std::vector<std::pair<std::string, double>> weights;
          for (auto const& [folder, weight] : adapters) {
            weights.emplace_back(graft::cat(weights.size() + 1, " (", folder.string(), ")"), weight);
            set.add(weights.back().first, graft::load_adapter<typename Model::adaptation_type>(base_, folder, options));
          }
          sum = wrap(graft::combine(set, weights, settings));
        },
        options);
    return sum;
  }

 private:
  graft::Base<A> base_;
};

}  // namespace any_model
