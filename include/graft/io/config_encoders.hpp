/// @file
/// @brief Configurations of models with an encoder.
#pragma once

#include <cmath>
#include <string>

#include <graft/io/config_reader.hpp>

namespace graft::detail {

inline constexpr Index unlimited_positions = Index{1} << 30;

/// Heads that divide the width evenly.
[[nodiscard]] inline StackConfig even_heads(ConfigReader const& json, Index width, Index layers, Index heads, Index inner) {
  if (width % heads != 0) fail<FileError>("[", json.where, "] has the width ", width, " and ", heads, " attention heads; expected a multiple");
  return {layers, heads, heads, width / heads, inner};
}

/// T5: relative positions, so no longest row. `architecture` becomes t5_v1_1 where the feed-forwards are gated.
[[nodiscard]] inline ModelConfig t5_config(ConfigReader const& json) {
  ModelConfig config;
  config.width = json.size("d_model");
  Index const heads = json.size("num_heads");
  StackConfig const encoder{json.size("num_layers"), heads, heads, json.size("d_kv"), json.size("d_ff")};
  config.encoder = encoder;
  static_cast<StackConfig&>(config) = encoder;
  config.layers = json.size("num_decoder_layers", encoder.layers);
  config.positions = unlimited_positions;
  config.norm_epsilon = json.get<double>("layer_norm_epsilon", 1e-6);
  config.relative = {json.size("relative_attention_num_buckets", 32), json.size("relative_attention_max_distance", 128)};
  if (config.relative.buckets < 4 || config.relative.max_distance <= config.relative.buckets / 2)
    fail<FileError>("[", json.where, "] has ", config.relative.buckets, " relative_attention_num_buckets up to the distance ", config.relative.max_distance,
                    "; expected at least 4, and a distance of more than half as many");
  std::string const projection = json.get<std::string>("feed_forward_proj", "relu");
  bool const gated = projection.starts_with("gated-");
  config.architecture = gated ? "t5_v1_1" : "t5";
  std::string const activation = gated ? projection.substr(6) : projection;
  config.activation = activation_from_name(projection == "gated-gelu" ? "gelu_new" : activation);
  if (json.get<bool>("scale_decoder_outputs", json.get<bool>("tie_word_embeddings", true))) config.head_scale = 1.0 / std::sqrt(static_cast<double>(config.width));
  return config;
}

[[nodiscard]] inline ModelConfig bart_config(ConfigReader const& json) {
  ModelConfig config;
  config.width = json.size("d_model");
  static_cast<StackConfig&>(config) = even_heads(json, config.width, json.size("decoder_layers"), json.size("decoder_attention_heads"), json.size("decoder_ffn_dim"));
  config.encoder = even_heads(json, config.width, json.size("encoder_layers"), json.size("encoder_attention_heads"), json.size("encoder_ffn_dim"));
  config.positions = json.size("max_position_embeddings", 1024);
  config.position_offset = 2;
  config.activation = activation_from_name(json.get<std::string>("activation_function", "gelu"));
  if (json.get<bool>("scale_embedding", false)) config.embedding_scale = std::sqrt(static_cast<double>(config.width));
  config.attention_bias = config.attention_output_bias = config.feed_forward_bias = true;
  return config;
}

/// BERT and RoBERTa, whose positions begin behind the padding token's.
[[nodiscard]] inline ModelConfig bert_config(ConfigReader const& json, std::string const& type) {
  ModelConfig config;
  config.width = json.size("hidden_size");
  static_cast<StackConfig&>(config) = even_heads(json, config.width, json.size("num_hidden_layers"), json.size("num_attention_heads"), json.size("intermediate_size"));
  config.positions = json.size("max_position_embeddings", 512);
  if (type == "roberta") config.position_offset = json.get<std::int64_t>("pad_token_id", 1) + 1;
  config.positions -= config.position_offset;
  if (config.position_offset < 0 || config.positions < 1)
    fail<FileError>("[", json.where, "] has no positions behind the padding token's; got pad_token_id ", config.position_offset - 1, "; expected less than max_position_embeddings");
  config.norm_epsilon = json.get<double>("layer_norm_eps", 1e-12);
  config.activation = activation_from_name(json.get<std::string>("hidden_act", "gelu"));
  config.token_types = json.size("type_vocab_size", type == "roberta" ? 1 : 2);
  config.attention_bias = config.attention_output_bias = config.feed_forward_bias = true;
  if (std::string const kind = json.get<std::string>("position_embedding_type", "absolute"); kind != "absolute")
    fail<FileError>("[", json.where, "] has the position_embedding_type ", printable(kind), "; expected absolute");
  if (json.get<bool>("is_decoder", false)) fail<FileError>("[", json.where, "] describes a decoder; expected an encoder (is_decoder false)");
  return config;
}

/// Classes of a classification head: `num_labels`, else as many as id2label names, else 2.
[[nodiscard]] inline Index label_count(ConfigReader const& json) {
  if (json.present("num_labels")) return json.size("num_labels");
  if (!json.present("id2label")) return 2;
  auto const& names = json.json.at("id2label");
  if (!names.is_object() || names.empty()) fail<FileError>("[", json.where, "] has an id2label that names no classes; got ", json_excerpt(names), "; expected {\"0\": …}");
  return static_cast<Index>(names.size());
}

}  // namespace graft::detail
