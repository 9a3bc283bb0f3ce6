/// @file
/// @brief Keys of the configurations of models with an encoder.
#pragma once

#include <string_view>

#include <graft/io/config_key.hpp>

namespace graft::detail {

inline void add_encoder_decoder_keys(ConfigKeys& to) {
  using enum ConfigKeyUse;
  add_keys(to, {"decoder_start_token_id", "forced_bos_token_id", "forced_eos_token_id"}, honoured);
  add_keys(to, {"classifier_dropout", "problem_type"}, without_effect);
  add_keys(to, {"is_encoder_decoder"}, one_value, "[true]");
  add_keys(to, {"is_decoder"}, one_value, "[false]");
}

[[nodiscard]] inline ConfigKeys t5_keys() {
  using enum ConfigKeyUse;
  ConfigKeys to;
  add_keys(to,
           {"d_model", "d_kv", "d_ff", "num_layers", "num_decoder_layers", "num_heads",
            "relative_attention_num_buckets", "relative_attention_max_distance", "layer_norm_epsilon",
            "feed_forward_proj", "dense_act_fn", "is_gated_act", "scale_decoder_outputs"},
           honoured);
  add_keys(to, {"dropout_rate", "initializer_factor", "n_positions"}, without_effect);
  add_encoder_decoder_keys(to);
  to.aliases = {{"hidden_size", "d_model"},
                {"num_attention_heads", "num_heads"},
                {"num_hidden_layers", "num_layers"},
                {"head_dim", "d_kv"}};
  return to;
}

[[nodiscard]] inline ConfigKeys bart_keys() {
  using enum ConfigKeyUse;
  ConfigKeys to;
  add_keys(to,
           {"d_model", "encoder_layers", "encoder_attention_heads", "encoder_ffn_dim", "decoder_layers",
            "decoder_attention_heads", "decoder_ffn_dim", "max_position_embeddings", "activation_function",
            "scale_embedding"},
           honoured);
  add_keys(to,
           {"dropout", "attention_dropout", "activation_dropout", "encoder_layerdrop", "decoder_layerdrop",
            "classif_dropout", "init_std", "add_bias_logits", "save_step", "grapheme_chars", "phoneme_chars"},
           without_effect);
  // of models that other classes of old releases computed
  add_keys(to,
           {"normalize_before", "add_final_layer_norm", "static_position_embeddings", "do_blenderbot_90_layernorm",
            "force_bos_token_to_be_generated"},
           one_value, "[false]");
  add_keys(to, {"normalize_embedding"}, one_value, "[true]");
  add_keys(to, {"extra_pos_embeddings"}, one_value, "[2]");
  add_encoder_decoder_keys(to);
  to.aliases = {{"num_attention_heads", "encoder_attention_heads"},
                {"hidden_size", "d_model"},
                {"num_hidden_layers", "encoder_layers"}};
  return to;
}

[[nodiscard]] inline ConfigKeys bert_keys() {
  using enum ConfigKeyUse;
  ConfigKeys to;
  add_keys(to,
           {"hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "max_position_embeddings",
            "type_vocab_size", "layer_norm_eps", "hidden_act"},
           honoured);
  add_keys(to,
           {"hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout", "directionality",
            "pooler_fc_size", "pooler_num_attention_heads", "pooler_num_fc_layers", "pooler_size_per_head",
            "pooler_type", "decoder_start_token_id", "forced_bos_token_id", "forced_eos_token_id"},
           without_effect);
  add_keys(to, {"position_embedding_type"}, one_value, R"(["absolute"])");
  add_keys(to, {"problem_type"}, one_value, R"(["single_label_classification"])");
  add_keys(to, {"is_decoder", "is_encoder_decoder"}, one_value, "[false]");
  return to;
}

}  // namespace graft::detail
