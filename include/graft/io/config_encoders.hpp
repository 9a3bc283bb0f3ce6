/// @file
/// @brief Configurations of models with an encoder.
#pragma once

#include <cmath>
#include <string>

#include <graft/core/warning.hpp>
#include <graft/io/config_reader.hpp>

namespace graft::detail {

inline constexpr Index unlimited_positions = Index{1} << 30;

/// Heads that divide the width evenly.
[[nodiscard]] inline StackConfig even_heads(ConfigReader const& json, Index width, Index layers,
                                            std::string const& heads_key, Index default_heads, Index inner) {
  Index const heads = json.size(heads_key, default_heads);
  if (width % heads != 0)
    fail<FileError>("[", json.where, "] has the width ", width, " and ", heads_key, " ", heads,
                    "; expected a multiple");
  return {layers, heads, heads, width / heads, inner};
}

/// T5: relative positions, so no longest row. `architecture` becomes t5_v1_1 where the feed-forwards are gated.
/// As in transformers, `dense_act_fn` and `is_gated_act` count before `feed_forward_proj`, which they repeat.
[[nodiscard]] inline ModelConfig t5_config(ConfigReader const& json) {
  ModelConfig config;
  config.width = json.size("d_model", 512);
  Index const heads = json.size("num_heads", 8);
  StackConfig const encoder{json.layers("num_layers", 6), heads, heads, json.size("d_kv", 64), json.size("d_ff", 2048)};
  config.encoder = encoder;
  static_cast<StackConfig&>(config) = encoder;
  config.layers = json.layers("num_decoder_layers", encoder.layers);
  config.positions = unlimited_positions;
  config.norm_epsilon = json.epsilon("layer_norm_epsilon", 1e-6);
  config.relative = {json.size("relative_attention_num_buckets", 32),
                     json.size("relative_attention_max_distance", 128)};
  if (config.relative.buckets < 4 || config.relative.max_distance <= config.relative.buckets / 2)
    fail<FileError>("[", json.where, "] has ", config.relative.buckets,
                    " relative_attention_num_buckets up to the distance ", config.relative.max_distance,
                    "; expected at least 4, and a relative_attention_max_distance of more than half as many");
  std::string const projection = json.get<std::string>("feed_forward_proj", "relu");
  auto const dash = projection.find('-');
  if (dash != std::string::npos &&
      (!projection.starts_with("gated-") || projection.find('-', dash + 1) != std::string::npos))
    fail<FileError>("[", json.where, "] has the feed_forward_proj ", printable(projection),
                    "; expected an activation's name, alone or behind \"gated-\"");
  std::string const named = projection == "gated-gelu"  ? "gelu_new"
                            : dash == std::string::npos ? projection
                                                        : projection.substr(dash + 1);
  config.architecture = json.get<bool>("is_gated_act", dash != std::string::npos) ? "t5_v1_1" : "t5";
  config.activation = json.json.contains("dense_act_fn") ? json.activation("dense_act_fn", "")
                                                         : json.activation_named("feed_forward_proj", named);
  bool const scaled = !json.present("tie_word_embeddings") || json.get<bool>("tie_word_embeddings", true);
  if (json.flag("scale_decoder_outputs", scaled))
    config.head_scale = 1.0 / std::sqrt(static_cast<double>(config.width));
  return config;
}

[[nodiscard]] inline ModelConfig bart_config(ConfigReader const& json) {
  ModelConfig config;
  config.width = json.size("d_model", 1024);
  auto const stack = [&](std::string const& name) {
    return even_heads(json, config.width, json.layers(name + "_layers", 12), name + "_attention_heads", 16,
                      json.size(name + "_ffn_dim", 4096));
  };
  static_cast<StackConfig&>(config) = stack("decoder");
  config.encoder = stack("encoder");
  config.positions = json.size("max_position_embeddings", 1024);
  config.position_offset = 2;
  config.activation = json.activation("activation_function", "gelu");
  if (json.flag("scale_embedding", false)) config.embedding_scale = std::sqrt(static_cast<double>(config.width));
  config.attention_bias = config.attention_output_bias = config.feed_forward_bias = true;
  return config;
}

/// BERT and RoBERTa, whose positions begin behind the padding token's.
[[nodiscard]] inline ModelConfig bert_config(ConfigReader const& json, std::string const& type) {
  ModelConfig config;
  config.width = json.size("hidden_size", 768);
  static_cast<StackConfig&>(config) = even_heads(json, config.width, json.layers("num_hidden_layers", 12),
                                                 "num_attention_heads", 12, json.size("intermediate_size", 3072));
  config.positions = json.size("max_position_embeddings", 512);
  if (type == "roberta") {
    auto const pad = json.get<std::int64_t>("pad_token_id", 1);
    if (pad < -1 || pad + 1 >= config.positions)
      fail<FileError>("[", json.where, "] has no positions behind the padding token's; got pad_token_id ", pad,
                      "; expected less than max_position_embeddings");
    config.position_offset = pad + 1;
    config.positions -= config.position_offset;
  }
  config.norm_epsilon = json.epsilon("layer_norm_eps", 1e-12);
  config.activation = json.activation("hidden_act", "gelu");
  config.token_types = json.size("type_vocab_size", 2);
  config.attention_bias = config.attention_output_bias = config.feed_forward_bias = true;
  return config;
}

/// Classes of a classification head: `num_labels`, else as many as id2label names, else the default.
[[nodiscard]] inline Index label_count(ConfigReader const& json, Index fallback) {
  if (!json.present("id2label")) return json.size("num_labels", fallback);
  auto const& names = json.json.at("id2label");
  if (!names.is_object() || names.empty())
    fail<FileError>("[", json.where, "] has an id2label that names no classes; got ", json_excerpt(names),
                    "; expected {\"0\": …}");
  Index const named = static_cast<Index>(names.size()), count = json.size("num_labels", named);
  if (count != named)
    warn("[", json.where, "] has num_labels ", count, " beside an id2label of ", named,
         "; num_labels counts, as in transformers");
  return count;
}

}  // namespace graft::detail
