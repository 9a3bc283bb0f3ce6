/// @file
/// @brief The one template behind `ErasedModel`: instantiated for an architecture and every strategy in that architecture's source file.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <graft/adaptation/bitfit.hpp>
#include <graft/adaptation/bottleneck_adapter.hpp>
#include <graft/adaptation/classification_head.hpp>
#include <graft/adaptation/compose.hpp>
#include <graft/adaptation/embedding_only.hpp>
#include <graft/adaptation/full_fine_tuning.hpp>
#include <graft/adaptation/ia3.hpp>
#include <graft/adaptation/infix_tuning.hpp>
#include <graft/adaptation/lora.hpp>
#include <graft/adaptation/mam.hpp>
#include <graft/adaptation/none.hpp>
#include <graft/adaptation/p_tuning.hpp>
#include <graft/adaptation/parallel_adapter.hpp>
#include <graft/adaptation/prefix_tuning.hpp>
#include <graft/adaptation/prompt_tuning.hpp>
#include <graft/adaptation/top_layers.hpp>
#include <graft/io/adapter.hpp>
#include <graft/io/save_pretrained.hpp>
#include <graft/models/adapt.hpp>
#include <graft/models/combine.hpp>
#include <graft/models/merge.hpp>
#include <graft/models/prefix_scope.hpp>
#include <graft/text/printable.hpp>

#include "any_model.hpp"
#include "erased_model.hpp"

namespace any_model {

/// Embeddings at the front are prompt tuning under another name, which PEFT has a format for; files hold both without the MLP.
template <graft::Architecture A>
[[nodiscard]] auto as_prompt_tuning(graft::Transformer<A, graft::EmbeddingOnly> model) {
  auto const& own = model.settings();
  graft::PromptTuning settings{.length = own.length, .init = graft::Init::normal, .side = own.side, .place = own.place, .positions = own.positions, .pooling = own.pooling};
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
  graft::ParameterCounts parameter_counts() override { return model_.parameter_counts(); }
  void append(graft::Batch& batch, graft::TokenizedExample const& example) const override { model_.append(batch, example); }
  graft::TargetScores<float, graft::Cpu> scores(graft::Batch const& batch) override { return model_.scores(batch); }
  Value logits(graft::Batch const& batch, Cache const* cache) override { return model_.logits(batch, cache); }
  Value hidden_states(graft::Batch const& batch, Cache const* cache) override { return model_.hidden_states(batch, cache); }
  Sources encode_sources(graft::Batch const& batch) override {
    if constexpr (Model::has_encoder)
      return model_.encode_sources(batch);
    else
      graft::fail<graft::ConfigError>("[encode_sources] got a ", config().architecture, " model; expected one with an encoder and a decoder");
  }
  graft::Index virtual_tokens() override { return model_.virtual_tokens(); }
  graft::Index virtual_positions(graft::Stack stack) override { return model_.virtual_positions(stack); }
  void prepare_inference() override { model_.prepare_inference(); }
  void finish_inference() override { model_.finish_inference(); }
  void save(std::filesystem::path const& folder, graft::AdapterOptions const& options) override {
    if constexpr (std::is_same_v<Strategy, graft::EmbeddingOnly>)
      if (options.format == graft::AdapterFormat::peft) return graft::save_adapter(as_prompt_tuning(model_), folder, options);
    if constexpr (std::is_same_v<Strategy, graft::PrefixTuning>)
      if (auto const scope = other_scope(options.format)) return graft::save_adapter(graft::with_scope(model_, *scope), folder, options);
    graft::save_adapter(model_, folder, options);
  }
  void save_merged(std::filesystem::path const& folder) override {
    if constexpr (graft::can_merge<Strategy>)
      graft::save_pretrained(graft::merge(model_), folder);
    else
      graft::fail<graft::ConfigError>("[merge] got an adapter of the strategy ", Strategy::name,
                                      ", which is not in the base's weights; expected lora, ia3, bitfit or one that trains the weights themselves");
  }

 private:
  /// The layout in which the format that is asked for has a prefix of a decoder with cross-attention, if it is not in it.
  [[nodiscard]] std::optional<graft::PrefixScope> other_scope(graft::AdapterFormat format) const {
    using graft::PrefixScope;
    if (!info().main().crosses || format == graft::AdapterFormat::automatic) return std::nullopt;
    PrefixScope const own = model_.settings().scope, wanted = format == graft::AdapterFormat::peft ? PrefixScope::peft_decoder : PrefixScope::decoder;
    return own == PrefixScope::all || own == wanted ? std::nullopt : std::optional(wanted);
  }

  Model model_;
};

template <class Model>
[[nodiscard]] std::unique_ptr<AnyModel> wrap(Model model) {
  return std::make_unique<AnyModel>(std::make_unique<Adapted<Model>>(std::move(model)));
}

/// The enumerator that a method names in `field`.
template <graft::NamedEnum Enum>
[[nodiscard]] Enum named(std::string_view field, std::optional<std::string> const& name, Enum otherwise) {
  if (!name) return otherwise;
  if (auto const value = graft::enum_value<Enum>(*name)) return *value;
  graft::fail<graft::ConfigError>("[method] got ", field, " ", graft::printable(*name), "; expected one of ", graft::enum_choices<Enum>());
}

/// Settings of a bank of keys and values as the command line gives them.
template <class Settings>
[[nodiscard]] Settings bank_settings(Method const& m, bool mlp, int layer_count) {
  if (m.layers && (*m.layers < 1 || *m.layers > layer_count))
    graft::fail<graft::ConfigError>("[method] got ", *m.layers, " layers; expected 1 to ", layer_count, ", the model's");
  Settings s;
  s.length = m.length.value_or(10);
  if (mlp) s.reparametrization = graft::Mlp{.hidden = m.hidden.value_or(512)};
  s.init = named("init", m.init, graft::Init::normal);
  s.init_words = m.init_words;
  s.init_deviation = m.init_deviation.value_or(0.02);
  s.dropout = m.dropout.value_or(0.0);
  for (int l = layer_count - static_cast<int>(m.layers.value_or(0)); m.layers && l < layer_count; ++l) s.layers.push_back(l);
  s.positions = named("positions", m.positions, graft::PositionPolicy::automatic);
  s.scope = named("scope", m.scope, graft::PrefixScope::all);
  return s;
}
template <class Settings>
[[nodiscard]] Settings token_settings(Method const& m, graft::Index length, bool mlp) {
  Settings s;
  s.length = m.length.value_or(length);
  if (mlp) s.reparametrization = graft::Mlp{.hidden = m.hidden.value_or(512)};
  s.init = named("init", m.init, m.init_words.empty() ? graft::Init::vocabulary : graft::Init::words);
  s.init_words = m.init_words;
  s.init_deviation = m.init_deviation.value_or(0.02);
  s.positions = named("positions", m.positions, graft::PositionPolicy::automatic);
  s.side = named("side", m.side, graft::Side::source);
  s.place = named("place", m.place, graft::Place::front);
  return s;
}
inline graft::LoRA lora_settings(Method const& m) {
  return {.rank = m.rank.value_or(8), .alpha = m.alpha.value_or(16), .targets = m.targets, .dropout = m.dropout.value_or(0.0)};
}
inline graft::BottleneckAdapter adapter_settings(Method const& m) {
  return {.bottleneck = m.bottleneck.value_or(64), .share = m.share.value_or(0.0), .placement = named("placement", m.placement, graft::AdapterPlacement::between_layers)};
}

/// Names of the feed-forward's second product scale its inputs, as in the paper; others scale outputs.
inline graft::IA3 ia3_settings(Method const& m, graft::ModelInfo const& model) {
  graft::IA3 s;
  for (auto const& target : m.targets) {
    bool const inner = std::any_of(model.sites.begin(), model.sites.end(), [&](graft::SiteInfo const& site) {
      return site.address.site == graft::Site::feed_forward_down && graft::names_module(target, site.name);
    });
    (inner ? s.feed_forward_targets : s.targets).push_back(target);
  }
  return s;
}
inline graft::ParallelAdapter parallel_settings(Method const& m) { return {.bottleneck = m.bottleneck.value_or(64)}; }
inline graft::PTuning p_tuning_settings(Method const& m) {
  return {.length = m.length.value_or(20), .hidden = m.hidden.value_or(0), .dropout = m.dropout.value_or(0.0)};
}

/// Strategies beside the head of a classifier; what trains the model's own weights leaves the head to it.
template <graft::Architecture A, class Settings>
[[nodiscard]] auto with_head(Method const& m, Settings settings) {
  if constexpr (A::head == graft::HeadKind::classifier) {
    if constexpr (requires { settings.head; } && !std::is_same_v<Settings, graft::TopLayers>) settings.head = false;
    return graft::compose(std::move(settings), graft::ClassificationHead{.labels = m.labels.value_or(0)});
  } else {
    return settings;
  }
}

/// Turns a method's name into its type: the programs' one switch.
template <graft::Architecture A>
[[nodiscard]] std::unique_ptr<AnyModel> adapt_by_name(graft::Base<A> const& base, Method const& m) {
  int const layers = static_cast<int>(base->config().layers);
  auto const make = [&](auto settings) { return wrap(graft::adapt(base, with_head<A>(m, std::move(settings)), m.seed)); };
  if (m.name == "none") return wrap(graft::adapt(base, graft::NoAdaptation{}, m.seed));
  if (m.name == "prefix" || m.name == "prefix_mlp") return make(bank_settings<graft::PrefixTuning>(m, m.name == "prefix_mlp", layers));
  if (m.name == "prompt") return make(token_settings<graft::PromptTuning>(m, 20, false));
  if (m.name == "embedding") return make(token_settings<graft::EmbeddingOnly>(m, 10, true));
  if (m.name == "adapter") return make(adapter_settings(m));
  if (m.name == "lora") return make(lora_settings(m));
  if (m.name == "bitfit") return make(graft::BitFit{});
  if (m.name == "top_layers") return make(graft::TopLayers{.layers = m.layers.value_or(std::min(2, layers))});
  if (m.name == "full") return make(graft::FullFineTuning{});
  if (m.name == "ia3") return make(ia3_settings(m, base->info()));
  if (m.name == "p_tuning") return make(p_tuning_settings(m));
  if (m.name == "parallel_adapter") return make(parallel_settings(m));
  if constexpr (A::head == graft::HeadKind::classifier) {
    if (m.name == "head") return wrap(graft::adapt(base, graft::ClassificationHead{.labels = m.labels.value_or(0)}, m.seed));
    if (m.name == "infix" || m.name == "prefix_lora" || m.name == "mam")
      graft::fail<graft::ConfigError>("[method] got ", m.name, " for a ", base->config().architecture, " model; expected a strategy for classifiers",
                                      m.name == "infix" ? ": an infix stands between a source and a target" : "");
  } else {
    if (m.name == "infix") return make(bank_settings<graft::InfixTuning>(m, m.hidden.has_value(), layers));
    if (m.name == "prefix_lora") return make(graft::compose(bank_settings<graft::PrefixTuning>(m, false, layers), lora_settings(m)));
    if (m.name == "mam") return make(graft::mam(bank_settings<graft::PrefixTuning>(m, m.hidden.has_value(), layers), parallel_settings(m)));
    if (m.name == "head") graft::fail<graft::ConfigError>("[method] got head for a ", base->config().architecture, " model; expected an encoder (bert, roberta)");
  }
  std::string names;
  for (auto const& info : method_infos()) names += (names.empty() ? "" : ", ") + std::string(info.name);
  graft::fail<graft::ConfigError>("[method] got ", m.name, "; expected one of ", names);
}

template <graft::Architecture A>
class BaseOf final : public AnyBase {
 public:
  explicit BaseOf(graft::Base<A> base) : base_(std::move(base)) {}
  graft::ModelConfig const& config() const override { return base_->config(); }
  graft::ModelInfo const& info() const override { return base_->info(); }
  std::unique_ptr<AnyModel> adapt(Method const& method) const override { return adapt_by_name(base_, method); }
  std::unique_ptr<AnyModel> load(std::filesystem::path const& adapter) const override {
    using namespace graft;
    std::unique_ptr<AnyModel> model;
    auto const keep = [&](auto loaded) { model = wrap(std::move(loaded)); };
    if constexpr (A::head == HeadKind::classifier)
      visit_adapter<Composed<PrefixTuning, ClassificationHead>, Composed<PromptTuning, ClassificationHead>, Composed<EmbeddingOnly, ClassificationHead>,
                    Composed<BottleneckAdapter, ClassificationHead>, Composed<LoRA, ClassificationHead>, Composed<BitFit, ClassificationHead>,
                    Composed<TopLayers, ClassificationHead>, Composed<FullFineTuning, ClassificationHead>, Composed<IA3, ClassificationHead>,
                    Composed<PTuning, ClassificationHead>, Composed<ParallelAdapter, ClassificationHead>, ClassificationHead, LoRA>(base_, adapter, keep);
    else
      visit_adapter<PrefixTuning, InfixTuning, PromptTuning, EmbeddingOnly, BottleneckAdapter, LoRA, BitFit, TopLayers, FullFineTuning, Composed<PrefixTuning, LoRA>, IA3, PTuning,
                    ParallelAdapter, Composed<PrefixTuning, ParallelAdapter>>(
          base_, adapter, keep);
    return model;
  }
  std::unique_ptr<AnyModel> combine(std::vector<std::pair<std::filesystem::path, double>> const& adapters, graft::CombineSettings const& settings) const override {
    std::unique_ptr<AnyModel> sum;
    graft::visit_adapter<graft::LoRA, graft::IA3>(base_, adapters.front().first, [&](auto const& first) {
      using Model = std::remove_cvref_t<decltype(first)>;
      graft::AdapterSet<Model> set;
      std::vector<std::pair<std::string, double>> weights;
      for (auto const& [folder, weight] : adapters) {
        weights.emplace_back(std::to_string(weights.size() + 1), weight);
        set.add(weights.back().first, graft::load_adapter<typename Model::adaptation_type>(base_, folder));
      }
      sum = wrap(graft::combine(set, weights, settings));
    });
    return sum;
  }

 private:
  graft::Base<A> base_;
};

}  // namespace any_model
