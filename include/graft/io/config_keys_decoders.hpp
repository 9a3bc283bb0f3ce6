/// @file
/// @brief Keys of the configurations of decoder-only models.
#pragma once

#include <string_view>

#include <graft/io/config_key.hpp>

namespace graft::detail {

inline void add_decoder_keys(ConfigKeys& to) {
  using enum ConfigKeyUse;
  add_keys(to,
           {"is_decoder", "problem_type", "decoder_start_token_id", "forced_bos_token_id", "forced_eos_token_id",
            "classifier_dropout"},
           without_effect);
  add_keys(to, {"is_encoder_decoder"}, one_value, "[false]");
}

[[nodiscard]] inline ConfigKeys gpt2_keys() {
  using enum ConfigKeyUse;
  ConfigKeys to;
  add_keys(to,
           {"n_embd", "n_layer", "n_head", "n_inner", "n_positions", "layer_norm_epsilon", "activation_function",
            "scale_attn_weights", "scale_attn_by_inverse_layer_idx"},
           honoured);
  add_keys(to,
           {"n_ctx", "resid_pdrop", "embd_pdrop", "attn_pdrop", "reorder_and_upcast_attn", "summary_type",
            "summary_use_proj", "summary_activation", "summary_proj_to_labels", "summary_first_dropout", "n_special",
            "predict_special_tokens"},
           without_effect);
  add_decoder_keys(to);
  to.aliases = {{"hidden_size", "n_embd"},
                {"max_position_embeddings", "n_positions"},
                {"num_attention_heads", "n_head"},
                {"num_hidden_layers", "n_layer"}};
  return to;
}

[[nodiscard]] inline ConfigKeys llama_keys(std::string_view type) {
  using enum ConfigKeyUse;
  ConfigKeys to;
  add_keys(to,
           {"hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "head_dim",
            "intermediate_size", "max_position_embeddings", "rms_norm_eps", "hidden_act", "rope_parameters",
            "rope_scaling", "rope_theta", "original_max_position_embeddings", "layer_types"},
           honoured);
  add_keys(to, {"partial_rotary_factor"}, one_value, "[1, 1.0]");
  add_keys(to, {"attention_dropout", "pretraining_tp", "is_llama_config"}, without_effect);
  add_keys(to, {"rope_interleaved"}, one_value, "[false]");
  add_decoder_keys(to);
  if (type == "llama") {
    add_keys(to, {"attention_bias", "mlp_bias"}, honoured);
    add_keys(to, {"sliding_window"}, one_value, "[]");
    add_keys(to, {"use_sliding_window"}, one_value, "[false]");
  } else if (type == "mistral") {
    add_keys(to, {"sliding_window"}, honoured);
    add_keys(to, {"attention_bias", "mlp_bias"}, one_value, "[false]");
    add_keys(to, {"use_sliding_window"}, one_value, "[true]");
  } else {
    add_keys(to, {"sliding_window", "use_sliding_window", "max_window_layers"}, honoured);
    add_keys(to, {"attention_bias"}, without_effect);  // Qwen2 always has them on query, key and value
    add_keys(to, {"mlp_bias"}, one_value, "[false]");
  }
  return to;
}

}  // namespace graft::detail
