/// @file
/// @brief Configurations of decoder-only models. Defaults are transformers'.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include <graft/io/config_reader.hpp>
#include <graft/io/config_rope.hpp>

namespace graft::detail {

[[nodiscard]] inline ModelConfig gpt2_config(ConfigReader const& json) {
  ModelConfig config;
  config.width = json.size("n_embd", 768);
  config.layers = json.layers("n_layer", 12);
  config.heads = config.kv_heads = json.size("n_head", 12);
  config.inner = json.optional_size("n_inner").value_or(4 * config.width);
  config.positions = json.size("n_positions", 1024);
  config.norm_epsilon = json.epsilon("layer_norm_epsilon", 1e-5);
  config.activation = json.activation("activation_function", "gelu_new");
  config.attention_bias = config.attention_output_bias = config.feed_forward_bias = true;
  config.scaled_attention = json.get<bool>("scale_attn_weights", true);
  config.layer_scaled_attention = json.get<bool>("scale_attn_by_inverse_layer_idx", false);
  if (config.width % config.heads != 0)
    fail<FileError>("[", json.where, "] has n_embd ", config.width, " and n_head ", config.heads,
                    "; expected a multiple");
  config.head_dim = config.width / config.heads;
  return config;
}

/// The window of the layers with sliding attention; nothing where all layers see their whole row.
[[nodiscard]] inline std::optional<Index> sliding_window(ConfigReader const& json, std::string const& type,
                                                         Index layers) {
  bool slides = type == "mistral";
  if (type == "qwen2" && json.get<bool>("use_sliding_window", false)) {
    if (json.json.contains("max_window_layers"))
      static_cast<void>(json_at<std::int64_t>(json.where, json.json, "max_window_layers"));
    slides = json.present("layer_types") || json.get<std::int64_t>("max_window_layers", 28) < layers;
  }
  if (json.present("layer_types")) {
    auto const kinds = json_at<std::vector<std::string>>(json.where, json.json, "layer_types");
    bool const full = std::all_of(kinds.begin(), kinds.end(),
                                  [](auto const& kind) { return kind == "full_attention" || kind == "attention"; });
    bool const known = full || (slides && std::all_of(kinds.begin(), kinds.end(), [](auto const& kind) {
                                  return kind == "full_attention" || kind == "sliding_attention";
                                }));
    if (!known || static_cast<Index>(kinds.size()) != layers)
      fail<FileError>("[", json.where, "] has layer_types that this ", type, " does not compute; got ", kinds.size(),
                      " of them; expected full_attention for each of ", layers, " layers",
                      slides ? ", or sliding_attention" : "");
    if (full && type == "qwen2") return std::nullopt;
  }
  if (!slides || (json.json.contains("sliding_window") && !json.present("sliding_window"))) return std::nullopt;
  return json.size("sliding_window", 4096);
}

[[nodiscard]] inline ModelConfig llama_config(ConfigReader const& json, std::string const& type) {
  bool const qwen = type == "qwen2", mistral = type == "mistral";
  ModelConfig config;
  config.width = json.size("hidden_size", 4096);
  config.layers = json.layers("num_hidden_layers", 32);
  config.heads = json.size("num_attention_heads", 32);
  bool const grouped = mistral || (qwen && !json.json.contains("num_key_value_heads"));
  config.kv_heads = grouped ? json.size("num_key_value_heads", mistral ? 8 : 32)
                            : json.optional_size("num_key_value_heads").value_or(config.heads);
  config.inner = json.size("intermediate_size", qwen ? 22016 : mistral ? 14336 : 11008);
  config.positions = json.size("max_position_embeddings", qwen ? 32768 : mistral ? 131072 : 2048);
  config.norm_epsilon = json.epsilon("rms_norm_eps", 1e-6);
  config.activation = json.activation("hidden_act", "silu");
  // Qwen2 has biases on query, key and value alone, and Mistral has none, whatever the configuration says
  config.attention_bias = qwen || (!mistral && json.get<bool>("attention_bias", false));
  config.attention_output_bias = !qwen && config.attention_bias;
  config.feed_forward_bias = !qwen && !mistral && json.get<bool>("mlp_bias", false);
  if (config.heads % config.kv_heads != 0)
    fail<FileError>("[", json.where, "] has ", config.heads, " heads and ", config.kv_heads,
                    " num_key_value_heads; expected whole groups");
  if (!json.present("head_dim") && config.width % config.heads != 0)
    fail<FileError>("[", json.where, "] has hidden_size ", config.width, " and ", config.heads,
                    " heads; expected a multiple, or head_dim");
  config.head_dim =
      json.present("head_dim") ? json.size_up_to("head_dim", 1, Index{1} << 16) : config.width / config.heads;
  if (config.head_dim < 2 || config.head_dim > (Index{1} << 16) || config.head_dim % 2 != 0)
    fail<FileError>("[", json.where, "] has a head_dim (by default hidden_size / num_attention_heads) of ",
                    config.head_dim, "; expected an even one for rotary positions");
  config.inverse_frequency = inverse_frequencies(json, config.head_dim);
  // a row within the window attends to all of itself; a longer one is refused
  if (auto const window = sliding_window(json, type, config.layers))
    config.positions = std::min(config.positions, *window);
  return config;
}

}  // namespace graft::detail
