// The plain model of a graft model: its base's weights by site, and what its strategy's parameters mean.
#pragma once

#include <algorithm>
#include <map>
#include <numeric>
#include <string>
#include <utility>

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
#include <graft/adaptation/prefix_tuning.hpp>
#include <graft/adaptation/prompt_tuning.hpp>
#include <graft/adaptation/top_layers.hpp>

#include "reference/copy_model.hpp"
#include "reference_prompt_encoder.hpp"
#include "small_model.hpp"

namespace reference {

/// second(tanh(first(norm(E)))), or E alone.
inline Matrix reparametrized(Parameters const& p, std::string const& prefix) {
  Matrix input = p.at(prefix + "embedding.weight");
  if (p.contains(prefix + "norm.weight"))
    input = norm({}, {p.at(prefix + "norm.weight"), p.at(prefix + "norm.bias")}, input);
  if (!p.contains(prefix + "transform.0.weight")) return input;
  return mlp_bank(input, linear_of(p, prefix + "transform.0"), linear_of(p, prefix + "transform.2"));
}

/// Puts settings and parameters into a plain model, strategy by strategy.
class Strategies {
 public:
  Strategies(Model& model, graft::ModelInfo const& info, Parameters parameters)
      : m_(model), info_(info), p_(std::move(parameters)) {}

  void add(graft::NoAdaptation const&, std::string const&) {}
  template <graft::Place place>
  void add(graft::VirtualKeys<place> const& settings, std::string const& prefix) {
    std::vector<int> layers = settings.layers;
    if (layers.empty()) {
      layers.resize(m_.blocks.size());
      std::iota(layers.begin(), layers.end(), 0);
    }
    std::sort(layers.begin(), layers.end());
    set_bank(m_, reparametrized(p_, prefix), layers, place == graft::Place::infix, shifts(settings));
  }
  void add(graft::PromptTuning const& settings, std::string const& prefix) {
    tokens(reparametrized(p_, prefix), settings.place, shifts(settings));
    m_.classifies_first_virtual = settings.pooling == graft::Pooling::first_virtual;
  }
  void add(graft::EmbeddingOnly const& settings, std::string const& prefix) {
    tokens(reparametrized(p_, prefix), settings.place, shifts(settings));
  }
  void add(graft::PTuning const& settings, std::string const& prefix) {
    tokens(prompt_encoder(p_, prefix).topRows(settings.length), graft::Place::front, true);
  }
  void add(graft::LoRA const& settings, std::string const& prefix) {
    each_linear([&](std::string const& module, Linear& linear) {
      auto const a = p_.find(prefix + module + ".lora_A.weight");
      if (a == p_.end()) return;
      linear.lora_a = a->second;
      linear.lora_b = p_.at(prefix + module + ".lora_B.weight");
      linear.lora_scale = settings.alpha / static_cast<double>(settings.rank);
    });
  }
  void add(graft::IA3 const& settings, std::string const& prefix) {
    each_linear([&](std::string const& module, Linear& linear) {
      auto const found = p_.find(prefix + module + ".ia3_l");
      if (found == p_.end()) return;
      bool input = settings.targets.empty() && settings.feed_forward_targets.empty() &&
                   (module.ends_with("mlp.c_proj") || module.ends_with("down_proj"));
      for (auto const& target : settings.feed_forward_targets) input = input || module.ends_with(target);
      Matrix const& scale = found->second;  // [out, 1] or [1, in]
      Row& place = input ? linear.input_scale : linear.output_scale;
      place = Eigen::Map<Row const>(scale.data(), scale.size());
    });
  }
  void add(graft::BottleneckAdapter const& settings, std::string const& prefix) {
    for (std::size_t layer = 0; layer < m_.blocks.size(); ++layer) {
      std::string const name = prefix + std::to_string(layer);
      put(m_.blocks[layer].after_block, name, settings.activation, 1);
      put(m_.blocks[layer].after_attention, name + ".attention", settings.activation, 1);
      put(m_.blocks[layer].after_feed_forward, name + ".feed_forward", settings.activation, 1);
    }
  }
  void add(graft::ParallelAdapter const& settings, std::string const& prefix) {
    for (std::size_t layer = 0; layer < m_.blocks.size(); ++layer) {
      std::string const name = prefix + std::to_string(layer);
      put(m_.blocks[layer].beside_attention, name + ".attention", settings.activation, settings.scale);
      put(m_.blocks[layer].beside_feed_forward, name + ".feed_forward", settings.activation, settings.scale);
    }
  }
  // What trains the model's own weights: `twin` has put them in the place of the base's.
  void add(graft::TopLayers const&, std::string const&) {}
  void add(graft::FullFineTuning const&, std::string const&) {}
  void add(graft::BitFit const&, std::string const&) {}
  void add(graft::ClassificationHead const&, std::string const&) {}
  template <class... Parts>
  void add(graft::Composed<Parts...> const& settings, std::string const& prefix) {
    int number = 0;
    std::apply([&](auto const&... part) { (add(part, prefix + std::to_string(number++) + "."), ...); }, settings.parts);
  }

 private:
  template <class Settings>
  static bool shifts(Settings const& settings) {
    return settings.positions != graft::PositionPolicy::keep;
  }
  void tokens(Matrix const& embeddings, graft::Place place, bool shifts) {
    bool const infix = place == graft::Place::infix;
    (infix ? m_.infix_tokens : m_.front_tokens) = embeddings;
    (infix ? m_.infix_token_positions : m_.front_token_positions) = shifts ? count(embeddings) : 0;
  }
  void put(Adapter& adapter, std::string const& name, graft::Activation activation, double scale) {
    if (!p_.contains(name + ".down.weight")) return;
    adapter = {linear_of(p_, name + ".down"), linear_of(p_, name + ".up"), curve_of(activation), scale};
  }
  template <class F>
  void each_linear(F const& f) {
    for (auto const& site : info_.sites)
      if (auto* const linear = linear_at(m_, site.address)) f(site.name, *linear);
  }

  Model& m_;
  graft::ModelInfo const& info_;
  Parameters p_;
};

/// The plain twin of a graft model, with its parameters as they are now.
template <class Strategy>
[[nodiscard]] Model twin(Strategy& model) {
  Parameters parameters;
  for (auto* parameter : model.parameters()) parameters[parameter->name()] = matrix_of(parameter->value());
  Model plain = copy_model(model.config(), model.info(), [&](graft::SiteInfo const& site, graft::Part part) {
    if constexpr (graft::HasTrained<typename Strategy::State>)
      if (auto const* trained = model.state().trained(site.address, part)) return trained->value();
    return graft::copy_weight(*model.base(), site.address, part);
  });
  Strategies(plain, model.info(), std::move(parameters)).add(model.settings(), "");
  return plain;
}

/// The examples of a batch as texts; a classifier's target is its label.
template <class Model>
[[nodiscard]] std::vector<Text> texts_of(Model const& model, std::vector<graft::TokenizedExample> const& examples) {
  std::vector<Text> texts;
  for (auto const& example : examples) {
    Text text{{example.source.begin(), example.source.end()}, static_cast<int>(example.source.size()), -1};
    if (model.info().classifies)
      text.label = example.target.at(0);
    else
      text.tokens.insert(text.tokens.end(), example.target.begin(), example.target.end());
    texts.push_back(std::move(text));
  }
  return texts;
}

}  // namespace reference
