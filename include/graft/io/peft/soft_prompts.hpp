/// @file
/// @brief PREFIX_TUNING and PROMPT_TUNING as PEFT writes them: `prompt_embeddings`, `[P, 2·L·D]` or `[P, width]`, the MLP applied.
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
                                                       ModelInfo const& model) {
  nlohmann::json config = peft_config(type);
  config.update({{"num_attention_heads", heads},
                 {"num_layers", model.stack(Stack::decoder).layers},
                 {"num_transformer_submodules", 1},
                 {"num_virtual_tokens", length},
                 {"token_dim", token_dim}});
  return config;
}
inline void check_soft_prompt(AdapterFolder const& folder, ModelInfo const& model, Index token_dim) {
  refuse_set(folder, {"modules_to_save"});
  std::string const task = json_or<std::string>(folder.config_path, folder.config, "task_type", "CAUSAL_LM");
  if (task != "CAUSAL_LM")
    fail<FileError>("[", folder.config_path, "] has the task_type ", printable(task), "; expected CAUSAL_LM for this ", model.architecture,
                    " model");
  check_size(folder, model, "num_layers", model.stack(Stack::decoder).layers);
  check_size(folder, model, "token_dim", token_dim);
  check_size(folder, model, "num_transformer_submodules", 1);
}

}  // namespace detail

/// Column (2l + kv)·D + h·d + i holds layer l, kv 0 = key, 1 = value, head h, component i. With grouped queries PEFT's token_dim and
/// num_attention_heads are those of the keys. PEFT has a prefix of every layer, and lets positions run on.
template <>
struct PeftFormat<PrefixTuning> {
  static constexpr char const* type = "PREFIX_TUNING";
  static constexpr char const* tensor_prefix = "";

  [[nodiscard]] static bool can_express(PrefixTuning const& settings, ModelInfo const& model) {
    std::vector<int> layers = settings.layers, all;
    std::sort(layers.begin(), layers.end());
    for (int l = 0; l < model.stack(Stack::decoder).layers; ++l) all.push_back(l);
    return settings.positions == PositionPolicy::shift && (layers.empty() || layers == all);
  }
  template <class State>
  [[nodiscard]] static nlohmann::json config(PrefixTuning const& settings, State& state, ModelInfo const& model) {
    auto const& stack = model.stack(Stack::decoder);
    auto config = detail::soft_prompt_config(type, settings.length, stack.kv_heads, stack.kv_width(), model);
    bool const projected = state.banks().front().matrix.has_mlp() && settings.reparametrization;
    config.update({{"encoder_hidden_size", projected ? settings.reparametrization->hidden : stack.kv_width()},
                   {"init_weights", nullptr},
                   {"prefix_projection", projected}});
    return config;
  }
  [[nodiscard]] static PrefixTuning settings(AdapterFolder const& folder) {
    return {.length = detail::positive_size(folder, "num_virtual_tokens")};
  }
  static void check(AdapterFolder const& folder, ModelInfo const& model) {
    detail::check_soft_prompt(folder, model, model.stack(Stack::decoder).kv_width());
    detail::check_size(folder, model, "num_attention_heads", model.stack(Stack::decoder).kv_heads);
  }
};

/// Virtual tokens in front, real tokens' positions after them.
template <>
struct PeftFormat<PromptTuning> {
  static constexpr char const* type = "PROMPT_TUNING";
  static constexpr char const* tensor_prefix = "";

  [[nodiscard]] static bool can_express(PromptTuning const& settings, ModelInfo const&) {
    return settings.place == Place::front && settings.positions == PositionPolicy::shift;
  }
  /// The initialisation is over, and PEFT would want a tokenizer for a text's: it is always RANDOM.
  template <class State>
  [[nodiscard]] static nlohmann::json config(PromptTuning const& settings, State&, ModelInfo const& model) {
    auto config = detail::soft_prompt_config(type, settings.length, model.stack(Stack::decoder).heads, model.width, model);
    config.update({{"prompt_tuning_init", "RANDOM"},
                   {"prompt_tuning_init_text", nullptr},
                   {"tokenizer_kwargs", nullptr},
                   {"tokenizer_name_or_path", nullptr}});
    return config;
  }
  [[nodiscard]] static PromptTuning settings(AdapterFolder const& folder) {
    bool const sampled = json_or<std::string>(folder.config_path, folder.config, "prompt_tuning_init", "RANDOM") == "SAMPLE_VOCAB";
    return {.length = detail::positive_size(folder, "num_virtual_tokens"), .init = sampled ? Init::vocabulary : Init::normal};
  }
  static void check(AdapterFolder const& folder, ModelInfo const& model) {
    detail::check_soft_prompt(folder, model, model.width);
    detail::check_size(folder, model, "num_attention_heads", model.stack(Stack::decoder).heads);
  }
};

}  // namespace graft
