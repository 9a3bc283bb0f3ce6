// What a graft model holds, in the dense reference's terms: its base's weights by name, and what its strategy's
// parameters mean.
#pragma once

#include <map>
#include <string>
#include <utility>

#include <graft/adaptation/bottleneck_adapter.hpp>
#include <graft/adaptation/compose.hpp>
#include <graft/adaptation/embedding_only.hpp>
#include <graft/adaptation/ia3.hpp>
#include <graft/adaptation/infix_tuning.hpp>
#include <graft/adaptation/lora.hpp>
#include <graft/adaptation/mam.hpp>
#include <graft/adaptation/none.hpp>
#include <graft/adaptation/p_tuning.hpp>
#include <graft/adaptation/prefix_tuning.hpp>
#include <graft/adaptation/prompt_tuning.hpp>
#include <graft/adaptation/top_layers.hpp>

#include "dense_prompt_encoder.hpp"
#include "dense_reference.hpp"
#include "small_model.hpp"

namespace dense {

using Parameters = std::map<std::string, Matrix>;

inline Matrix matrix_of(graft::Tensor<double> const& tensor) {
  bool const vector = tensor.shape().rank() == 1;
  Matrix matrix(vector ? 1 : static_cast<std::size_t>(tensor.shape()[0]),
                static_cast<std::size_t>(vector ? tensor.size() : tensor.width()));
  std::copy_n(tensor.data(), tensor.size(), matrix.data.begin());
  return matrix;
}

inline Curve curve_of(graft::Activation activation) {
  switch (activation) {
    case graft::Activation::gelu: return Curve::gelu;
    case graft::Activation::gelu_tanh: return Curve::gelu_tanh;
    case graft::Activation::silu: return Curve::silu;
    case graft::Activation::relu: return Curve::relu;
    default: throw std::logic_error("no curve for this activation");
  }
}

/// tanh(LN(E) W1' + b1) W2' + b2, or E alone.
inline Matrix reparametrized(Parameters const& p, std::string const& prefix) {
  Matrix const& input = p.at(prefix + "embedding.weight");
  if (!p.contains(prefix + "transform.0.weight")) return input;
  Matrix const &w1 = p.at(prefix + "transform.0.weight"), &b1 = p.at(prefix + "transform.0.bias"),
               &w2 = p.at(prefix + "transform.2.weight"), &b2 = p.at(prefix + "transform.2.bias");
  Matrix out(input.rows, w2.rows);
  for (std::size_t r = 0; r < input.rows; ++r) {
    std::vector<double> x(&input.data[r * input.width], &input.data[r * input.width] + input.width), hidden(w1.rows);
    if (p.contains(prefix + "norm.weight")) {
      double mean = 0, variance = 0;
      for (double value : x) mean += value / static_cast<double>(x.size());
      for (double value : x) variance += (value - mean) * (value - mean) / static_cast<double>(x.size());
      for (std::size_t k = 0; k < x.size(); ++k)
        x[k] = (x[k] - mean) / std::sqrt(variance + 1e-5) * p.at(prefix + "norm.weight").data[k] +
               p.at(prefix + "norm.bias").data[k];
    }
    for (std::size_t h = 0; h < hidden.size(); ++h) {
      double sum = b1.data[h];
      for (std::size_t k = 0; k < x.size(); ++k) sum += w1(h, k) * x[k];
      hidden[h] = std::tanh(sum);
    }
    for (std::size_t o = 0; o < out.width; ++o) {
      out(r, o) = b2.data[o];
      for (std::size_t h = 0; h < hidden.size(); ++h) out(r, o) += w2(o, h) * hidden[h];
    }
  }
  return out;
}

/// Turns settings and parameters into additions, strategy by strategy.
class Reader {
 public:
  Reader(graft::ModelConfig const& config, Parameters parameters) : config_(config), p_(std::move(parameters)) {}

  void add(graft::NoAdaptation const&, std::string const&) {}
  template <graft::Place place>
  void add(graft::VirtualKeys<place> const& settings, std::string const& prefix) {
    Matrix const bank = reparametrized(p_, prefix);
    auto const width = static_cast<std::size_t>(config_.kv_width());
    KeyGroup group{bank.rows, place == graft::Place::infix, settings.positions != graft::PositionPolicy::keep, {}};
    std::size_t block = 0;
    for (std::size_t layer = 0; layer < static_cast<std::size_t>(config_.layers); ++layer) {
      if (!settings.layers.empty() &&
          std::find(settings.layers.begin(), settings.layers.end(), static_cast<int>(layer)) == settings.layers.end())
        continue;
      group.layers[layer] = {columns(bank, 2 * block * width, width), columns(bank, (2 * block + 1) * width, width)};
      ++block;
    }
    added.keys.push_back(group);
  }
  void add(graft::PromptTuning const& settings, std::string const& prefix) { tokens(settings, prefix); }
  void add(graft::EmbeddingOnly const& settings, std::string const& prefix) { tokens(settings, prefix); }
  void add(graft::LoRA const& settings, std::string const& prefix) {
    for (auto const& [name, matrix] : p_)
      if (auto const at = name.find(".lora_A.weight"); at != std::string::npos && name.starts_with(prefix)) {
        std::string const module = name.substr(prefix.size(), at - prefix.size());
        added.low_rank[module] = {matrix, p_.at(prefix + module + ".lora_B.weight"),
                                  settings.alpha / static_cast<double>(settings.rank)};
      }
  }
  void add(graft::BottleneckAdapter const& settings, std::string const& prefix) {
    for (std::size_t layer = 0; layer < static_cast<std::size_t>(config_.layers); ++layer) {
      auto const unit = [&](std::string const& place, std::map<std::size_t, Bottleneck>& units) {
        std::string const name = prefix + std::to_string(layer) + place;
        if (p_.contains(name + ".down.weight"))
          units[layer] = {p_.at(name + ".down.weight"), p_.at(name + ".down.bias"),    p_.at(name + ".up.weight"),
                          p_.at(name + ".up.bias"),     curve_of(settings.activation), 1};
      };
      unit("", added.after_layer), unit(".attention", added.after_attention),
          unit(".feed_forward", added.after_feed_forward);
    }
  }
  void add(graft::PTuning const& settings, std::string const& prefix) {
    Matrix all = prompt_encoder(p_, prefix);
    all.rows = static_cast<std::size_t>(settings.length);
    all.data.resize(all.rows * all.width);
    added.tokens.push_back({all, false, true});
  }
  void add(graft::IA3 const& settings, std::string const& prefix) {
    for (auto const& [name, matrix] : p_)
      if (auto const at = name.find(".ia3_l"); at != std::string::npos && name.starts_with(prefix)) {
        std::string const module = name.substr(prefix.size(), at - prefix.size());
        bool input = settings.targets.empty() && settings.feed_forward_targets.empty() &&
                     (module.ends_with("mlp.c_proj") || module.ends_with("down_proj"));
        for (auto const& target : settings.feed_forward_targets) input = input || module.ends_with(target);
        (input ? added.input_scales : added.output_scales)[module] = matrix;
      }
  }
  void add(graft::ParallelAdapter const& settings, std::string const& prefix) {
    for (std::size_t layer = 0; layer < static_cast<std::size_t>(config_.layers); ++layer) {
      auto const unit = [&](std::string const& place, std::map<std::size_t, Bottleneck>& units) {
        std::string const name = prefix + std::to_string(layer) + place;
        if (p_.contains(name + ".down.weight"))
          units[layer] = {p_.at(name + ".down.weight"), p_.at(name + ".down.bias"),    p_.at(name + ".up.weight"),
                          p_.at(name + ".up.bias"),     curve_of(settings.activation), settings.scale};
      };
      unit(".attention", added.beside_attention), unit(".feed_forward", added.beside_feed_forward);
    }
  }
  void add(graft::TopLayers const&, std::string const& prefix) {
    for (auto const& [name, matrix] : p_)
      if (name.starts_with(prefix)) added.replaced[name.substr(prefix.size())] = matrix;
  }
  template <class... Parts>
  void add(graft::Composed<Parts...> const& settings, std::string const& prefix) {
    int number = 0;
    std::apply([&](auto const&... part) { (add(part, prefix + std::to_string(number++) + "."), ...); }, settings.parts);
  }

  Additions added;

 private:
  template <class Settings>
  void tokens(Settings const& settings, std::string const& prefix) {
    added.tokens.push_back({reparametrized(p_, prefix), settings.place == graft::Place::infix,
                            settings.positions != graft::PositionPolicy::keep});
  }
  static Matrix columns(Matrix const& x, std::size_t first, std::size_t count) {
    Matrix y(x.rows, count);
    for (std::size_t r = 0; r < x.rows; ++r) std::copy_n(&x.data[r * x.width + first], count, &y.data[r * count]);
    return y;
  }

  graft::ModelConfig config_;
  Parameters p_;
};

/// The dense twin of a graft model, with its parameters as they are now.
template <class Model>
[[nodiscard]] dense::Model twin(Model& model) {
  auto const& config = model.config();
  Dimensions const dimensions{Model::architecture::fused_attention,
                              static_cast<std::size_t>(config.layers),
                              static_cast<std::size_t>(config.heads),
                              static_cast<std::size_t>(config.kv_heads),
                              static_cast<std::size_t>(config.head_dim),
                              config.norm_epsilon,
                              config.inverse_frequency,
                              curve_of(config.activation)};
  Weights weights;
  for (auto const& site : model.info().sites) {
    if (site.tied) continue;
    weights[site.name + ".weight"] = matrix_of(graft::copy_weight(*model.base(), site.address, graft::Part::weight));
    if (site.bias)
      weights[site.name + ".bias"] = matrix_of(graft::copy_weight(*model.base(), site.address, graft::Part::bias));
  }
  Parameters parameters;
  for (auto* parameter : model.parameters()) parameters[parameter->name()] = matrix_of(parameter->value());
  Reader reader(config, std::move(parameters));
  reader.add(model.settings(), "");
  return {dimensions, std::move(weights), std::move(reader.added)};
}

}  // namespace dense
