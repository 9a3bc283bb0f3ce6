/// @file
/// @brief The one template behind `AnyModel`: instantiated for an architecture and every strategy in that architecture's source file.
#pragma once

#include <algorithm>
#include <memory>
#include <numeric>
#include <utility>

#include <graft/adaptation/bitfit.hpp>
#include <graft/adaptation/bottleneck_adapter.hpp>
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
#include <graft/generate/generate.hpp>
#include <graft/io/adapter.hpp>
#include <graft/models/adapt.hpp>
#include <graft/optim/adamw.hpp>
#include <graft/train/batches.hpp>
#include <graft/train/loss.hpp>
#include <graft/train/trainer.hpp>

#include "any_model.hpp"

namespace any_model {

template <class Model>
class Adapted final : public AnyModel {
 public:
  explicit Adapted(Model model) : model_(std::move(model)) {}

  graft::ModelConfig const& config() const override { return model_.config(); }
  graft::ParameterCounts parameter_counts() override { return model_.parameter_counts(); }
  std::vector<std::pair<std::string, graft::Shape>> parameters() override {
    std::vector<std::pair<std::string, graft::Shape>> all;
    for (auto const* parameter : model_.parameters()) all.emplace_back(parameter->name(), parameter->value().shape());
    return all;
  }
  graft::TrainingReport fit(graft::Training const& settings, std::vector<graft::TokenizedExample> training, std::vector<graft::TokenizedExample> validation) override {
    return graft::Trainer(settings).fit(model_, std::move(training), std::move(validation));
  }
  double step(std::vector<graft::TokenizedExample> const& examples, double learning_rate, graft::Index max_tokens) override {
    if (!optimizer_) optimizer_ = std::make_unique<graft::AdamW<float>>(model_.parameters());
    std::vector<graft::Index> all(examples.size());
    std::iota(all.begin(), all.end(), graft::Index{0});
    double targets = 0, loss = 0;
    for (auto const& example : examples) targets += static_cast<double>(example.target.size());
    for (auto const& pass : graft::divide_by_length(all, graft::row_lengths(examples), static_cast<graft::Index>(examples.size()), max_tokens)) {
      graft::Batch batch = graft::pack_selected(examples, pass);
      batch.rows.training = true;
      auto const part = graft::token_loss(model_.scores(batch), batch.rows.targets, targets);
      graft::backward(part);
      loss += static_cast<double>(part.value().data()[0]);
    }
    optimizer_->step(learning_rate);
    optimizer_->clear_gradients();
    return loss;
  }
  double loss(std::vector<graft::TokenizedExample> const& examples) override { return graft::evaluate_loss(model_, examples); }
  graft::Generations generate(std::vector<std::vector<graft::Token>> const& prompts, GenerationSettings const& settings, graft::Index at_once) override {
    return std::visit([&](auto const& chosen) { return graft::generate(model_, prompts, chosen, at_once); }, settings);
  }
  void save(std::filesystem::path const& folder) override { graft::save_adapter(model_, folder); }

 private:
  Model model_;
  std::unique_ptr<graft::AdamW<float>> optimizer_;
};

template <class Model>
[[nodiscard]] std::unique_ptr<AnyModel> wrap(Model model) {
  return std::make_unique<Adapted<Model>>(std::move(model));
}

inline graft::Init init_of(std::string const& name) {
  if (name == "normal") return graft::Init::normal;
  if (name == "uniform") return graft::Init::uniform;
  if (name == "vocabulary") return graft::Init::vocabulary;
  if (name == "words") return graft::Init::words;
  graft::fail<graft::ConfigError>("[method] got init ", name, "; expected normal, uniform, vocabulary or words");
}

/// Settings of a bank of keys and values as the command line gives them.
template <class Settings>
[[nodiscard]] Settings bank_settings(Method const& m, bool mlp, int layer_count) {
  Settings s;
  s.length = m.length.value_or(10);
  if (mlp) s.reparametrization = graft::Mlp{.hidden = m.hidden.value_or(512)};
  s.init = init_of(m.init.value_or("normal"));
  s.init_words = m.init_words;
  s.init_deviation = m.init_deviation.value_or(0.02);
  s.dropout = m.dropout.value_or(0.0);
  for (int l = layer_count - static_cast<int>(m.layers.value_or(0)); m.layers && l < layer_count; ++l) s.layers.push_back(l);
  return s;
}
template <class Settings>
[[nodiscard]] Settings token_settings(Method const& m, graft::Index length, bool mlp) {
  Settings s;
  s.length = m.length.value_or(length);
  if (mlp) s.reparametrization = graft::Mlp{.hidden = m.hidden.value_or(512)};
  s.init = init_of(m.init.value_or(m.init_words.empty() ? "vocabulary" : "words"));
  s.init_words = m.init_words;
  s.init_deviation = m.init_deviation.value_or(0.02);
  return s;
}
inline graft::LoRA lora_settings(Method const& m) {
  return {.rank = m.rank.value_or(8), .alpha = m.alpha.value_or(16), .targets = m.targets, .dropout = m.dropout.value_or(0.0)};
}
inline graft::BottleneckAdapter adapter_settings(Method const& m) {
  std::string const placement = m.placement.value_or("between_layers");
  graft::BottleneckAdapter s{.bottleneck = m.bottleneck.value_or(64), .share = m.share.value_or(0.0)};
  if (placement == "houlsby")
    s.placement = graft::AdapterPlacement::houlsby;
  else if (placement == "pfeiffer")
    s.placement = graft::AdapterPlacement::pfeiffer;
  else if (placement != "between_layers")
    graft::fail<graft::ConfigError>("[method] got placement ", placement, "; expected between_layers, houlsby or pfeiffer");
  return s;
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

/// Turns a method's name into its type: the programs' one switch.
template <class BasePointer>
[[nodiscard]] std::unique_ptr<AnyModel> adapt_by_name(BasePointer const& base, Method const& m) {
  int const layers = static_cast<int>(base->config().layers);
  auto const make = [&](auto settings) { return wrap(graft::adapt(base, std::move(settings), m.seed)); };
  if (m.name == "none") return make(graft::NoAdaptation{});
  if (m.name == "prefix" || m.name == "prefix_mlp") return make(bank_settings<graft::PrefixTuning>(m, m.name == "prefix_mlp", layers));
  if (m.name == "infix") return make(bank_settings<graft::InfixTuning>(m, m.hidden.has_value(), layers));
  if (m.name == "prompt") return make(token_settings<graft::PromptTuning>(m, 20, false));
  if (m.name == "embedding") return make(token_settings<graft::EmbeddingOnly>(m, 10, true));
  if (m.name == "adapter") return make(adapter_settings(m));
  if (m.name == "lora") return make(lora_settings(m));
  if (m.name == "bitfit") return make(graft::BitFit{});
  if (m.name == "top_layers") return make(graft::TopLayers{.layers = m.layers.value_or(2)});
  if (m.name == "full") return make(graft::FullFineTuning{});
  if (m.name == "prefix_lora") return make(graft::compose(bank_settings<graft::PrefixTuning>(m, false, layers), lora_settings(m)));
  if (m.name == "ia3") return make(ia3_settings(m, base->info()));
  if (m.name == "p_tuning") return make(p_tuning_settings(m));
  if (m.name == "parallel_adapter") return make(parallel_settings(m));
  if (m.name == "mam") return make(graft::mam(bank_settings<graft::PrefixTuning>(m, m.hidden.has_value(), layers), parallel_settings(m)));
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
    visit_adapter<PrefixTuning, InfixTuning, PromptTuning, EmbeddingOnly, BottleneckAdapter, LoRA, BitFit, TopLayers, FullFineTuning, Composed<PrefixTuning, LoRA>, IA3, PTuning,
                  ParallelAdapter, Composed<PrefixTuning, ParallelAdapter>>(
        base_, adapter, [&](auto loaded) { model = wrap(std::move(loaded)); });
    return model;
  }

 private:
  graft::Base<A> base_;
};

}  // namespace any_model
