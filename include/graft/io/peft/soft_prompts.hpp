/// @file
/// @brief PREFIX_TUNING and PROMPT_TUNING as PEFT writes them: `prompt_embeddings`, `[P, 2·L·D]` or `[P, width]`, the
/// MLP applied.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include <graft/adaptation/prefix_tuning.hpp>
#include <graft/adaptation/prompt_tuning.hpp>
#include <graft/io/peft/format.hpp>

namespace graft {

namespace detail {

[[nodiscard]] inline nlohmann::json soft_prompt_config(char const* type, Index length, Index heads, Index token_dim,
                                                       Index submodules, ModelInfo const& model) {
  nlohmann::json config = peft_config(type);
  config.update({{"num_attention_heads", heads},
                 {"num_layers", model.input().layers},
                 {"num_transformer_submodules", submodules},
                 {"num_virtual_tokens", length},
                 {"task_type", peft_task(model)},
                 {"token_dim", token_dim}});
  return config;
}
inline void check_soft_prompt(AdapterFolder const& folder, ModelInfo const& model, Index token_dim) {
  refuse_modules(folder);
  check_task(folder, model);
  check_size(folder, model, "num_layers", model.input().layers);
  check_size(folder, model, "token_dim", token_dim);
}
/// The heads that PEFT reads in a configuration: the key heads of grouped queries are a prefix's alone.
[[nodiscard]] inline Index prefix_heads(ModelInfo const& model) { return model.input().kv_heads; }

}  // namespace detail

/// Column (2l + kv)·D + h·d + i holds layer l, kv 0 = key, 1 = value, head h, component i. With grouped queries PEFT's
/// token_dim and num_attention_heads are those of the keys. PEFT has a prefix of every layer, and lets positions run
/// on. In an encoder–decoder it has one of the decoder alone, whose layer l reads slots 4l and 4l + 1 modulo 2L
/// (`PrefixScope::peft_decoder`).
template <>
struct PeftFormat<PrefixTuning> {
  static constexpr char const* type = "PREFIX_TUNING";
  static constexpr char const* tensor_prefix = "";

  [[nodiscard]] static bool can_express(PrefixTuning const& settings, ModelInfo const& model) {
    std::vector<int> layers = settings.layers, all;
    std::sort(layers.begin(), layers.end());
    for (int l = 0; l < model.main().layers; ++l) all.push_back(l);
    bool const fits = !model.main().crosses ||
                      (settings.scope == PrefixScope::peft_decoder && model.main().kv_width() == model.width);
    return fits && resolve(settings.positions, model) == PositionPolicy::shift && (layers.empty() || layers == all);
  }
  template <class State>
  [[nodiscard]] static nlohmann::json config(PrefixTuning const& settings, State& state, ModelInfo const& model) {
    Index const width = model.main().kv_width();
    auto config = detail::soft_prompt_config(type, settings.length, detail::prefix_heads(model), width,
                                             model.main().crosses ? 2 : 1, model);
    bool const projected = state.banks().front().matrix.has_mlp() && settings.reparametrization;
    config.update({{"encoder_hidden_size", projected ? settings.reparametrization->hidden : width},
                   {"init_weights", nullptr},
                   {"prefix_projection", projected}});
    return config;
  }
  [[nodiscard]] static PrefixTuning settings(AdapterFolder const& folder) {
    detail::check_peft_keys(
        folder, {{"num_attention_heads", "num_layers", "num_transformer_submodules", "num_virtual_tokens", "token_dim"},
                 {},
                 {"encoder_hidden_size", "init_weights", "prefix_projection"}});
    return {.length = detail::positive_size(folder, "num_virtual_tokens"),
            .positions = PositionPolicy::shift,
            .scope = PrefixScope::peft_decoder};
  }
  static void check(AdapterFolder const& folder, ModelInfo const& model) {
    detail::check_soft_prompt(folder, model, model.main().kv_width());
    detail::check_size(folder, model, "num_transformer_submodules", model.main().crosses ? 2 : 1);
    detail::check_size(folder, model, "num_attention_heads", detail::prefix_heads(model));
  }
};

/// Virtual tokens in front (of the source), real tokens' positions after them.
template <>
struct PeftFormat<PromptTuning> {
  static constexpr char const* type = "PROMPT_TUNING";
  static constexpr char const* tensor_prefix = "";

  [[nodiscard]] static bool can_express(PromptTuning const& settings, ModelInfo const& model) {
    bool const pooled = !model.classifies || settings.pooling == Pooling::first_virtual;
    bool const side = !model.main().crosses || settings.side == Side::source;
    return side && settings.place == Place::front && resolve(settings.positions, model) == PositionPolicy::shift &&
           pooled;
  }
  /// The initialisation is over, and PEFT would want a tokenizer for a text's: it is always RANDOM.
  template <class State>
  [[nodiscard]] static nlohmann::json config(PromptTuning const& settings, State&, ModelInfo const& model) {
    auto config =
        detail::soft_prompt_config(type, settings.length, model.input().heads, model.width, settings.submodules, model);
    config.update({{"prompt_tuning_init", "RANDOM"},
                   {"prompt_tuning_init_text", nullptr},
                   {"tokenizer_kwargs", nullptr},
                   {"tokenizer_name_or_path", nullptr}});
    return config;
  }
  [[nodiscard]] static PromptTuning settings(AdapterFolder const& folder) {
    detail::check_peft_keys(folder, {{"num_attention_heads", "num_layers", "num_transformer_submodules",
                                      "num_virtual_tokens", "prompt_tuning_init", "token_dim"},
                                     {},
                                     {"prompt_tuning_init_text", "tokenizer_kwargs", "tokenizer_name_or_path"}});
    bool const sampled =
        json_or<std::string>(folder.config_path, folder.config, "prompt_tuning_init", "RANDOM") == "SAMPLE_VOCAB";
    bool const both =
        json_or<std::string>(folder.config_path, folder.config, "task_type", "CAUSAL_LM") == "SEQ_2_SEQ_LM";
    return {.length = detail::positive_size(folder, "num_virtual_tokens"),
            .init = sampled ? Init::vocabulary : Init::normal,
            .submodules =
                json_or<std::int64_t>(folder.config_path, folder.config, "num_transformer_submodules", both ? 2 : 1),
            .positions = PositionPolicy::shift};
  }
  static void check(AdapterFolder const& folder, ModelInfo const& model) {
    detail::check_soft_prompt(folder, model, model.width);
    if (!model.main().crosses) detail::check_size(folder, model, "num_transformer_submodules", 1);
    detail::check_size(folder, model, "num_attention_heads", model.input().heads);
  }
};

}  // namespace graft
