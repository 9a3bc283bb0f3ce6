/// @file
/// @brief What every key of config.json means to the forward pass: honoured, without effect, or refused unless it has one value.
#pragma once

#include <array>
#include <string_view>
#include <vector>

namespace graft {

enum class ConfigKeyUse {
  honoured,        ///< read, with any value that makes sense
  without_effect,  ///< known, and nothing that changes what the model computes from tokens (dropout, names, defaults of generation, …)
  one_value,       ///< anything but the values of `allowed` (or null) asks for a computation that is not made here, and is refused
};

/// A key of config.json.
struct ConfigKey {
  std::string_view name;
  ConfigKeyUse use = ConfigKeyUse::honoured;
  std::string_view allowed = {};  ///< JSON array
};

/// A second spelling of a key. Where both stand in a file, transformers takes this one (the configurations' `attribute_map`).
struct ConfigAlias {
  std::string_view alias, name;
};

/// The keys of the checkpoints with one `model_type`.
struct ConfigKeys {
  std::vector<ConfigKey> keys;
  std::vector<ConfigAlias> aliases;
};

namespace detail {

using KeyNames = std::vector<std::string_view>;

inline void add_keys(ConfigKeys& to, KeyNames const& names, ConfigKeyUse use, std::string_view allowed = {}) {
  for (std::string_view const name : names) to.keys.push_back({name, use, allowed});
}

/// Keys that mean the same in every configuration.
inline void add_common_keys(ConfigKeys& to) {
  using enum ConfigKeyUse;
  add_keys(to, {"model_type", "vocab_size", "tie_word_embeddings", "num_labels", "id2label", "bos_token_id", "eos_token_id", "pad_token_id"}, honoured);
  add_keys(to, {"architectures", "transformers_version", "name_or_path", "auto_map", "tokenizer_class", "finetuning_task", "task_specific_params", "label2id", "prefix",
                "dtype", "torch_dtype", "use_bfloat16", "torchscript", "tf_legacy_loss", "return_dict", "use_return_dict", "output_hidden_states", "output_attentions",
                "output_scores", "output_past", "return_dict_in_generate", "use_cache", "gradient_checkpointing", "chunk_size_feed_forward", "attn_implementation", "initializer_range",
                "unk_token_id", "sep_token_id", "cls_token_id", "mask_token_id", "remove_invalid_values", "transformers.js_config", "unsloth_version", "unsloth_fixed"},
           without_effect);
  // defaults of generation, which transformers 5 takes from generation_config.json alone
  add_keys(to, {"max_length", "max_new_tokens", "min_length", "do_sample", "early_stopping", "num_beams", "num_beam_groups", "diversity_penalty", "temperature", "top_k", "top_p",
                "typical_p", "repetition_penalty", "length_penalty", "no_repeat_ngram_size", "encoder_no_repeat_ngram_size", "bad_words_ids", "num_return_sequences",
                "exponential_decay_length_penalty", "suppress_tokens", "begin_suppress_tokens"},
           without_effect);
  add_keys(to, {"tie_encoder_decoder", "add_cross_attention"}, one_value, "[false]");
  add_keys(to, {"pruned_heads"}, one_value, "[{}, []]");
  add_keys(to, {"quantization_config", "compression_config", "per_layer_config", "cross_attention_hidden_size"}, one_value, "[]");
}

inline void add_decoder_keys(ConfigKeys& to) {
  using enum ConfigKeyUse;
  add_keys(to, {"is_decoder", "problem_type", "decoder_start_token_id", "forced_bos_token_id", "forced_eos_token_id", "classifier_dropout"}, without_effect);
  add_keys(to, {"is_encoder_decoder"}, one_value, "[false]");
}

[[nodiscard]] inline ConfigKeys gpt2_keys() {
  using enum ConfigKeyUse;
  ConfigKeys to;
  add_keys(to, {"n_embd", "n_layer", "n_head", "n_inner", "n_positions", "layer_norm_epsilon", "activation_function", "scale_attn_weights", "scale_attn_by_inverse_layer_idx"}, honoured);
  add_keys(to, {"n_ctx", "resid_pdrop", "embd_pdrop", "attn_pdrop", "reorder_and_upcast_attn", "summary_type", "summary_use_proj", "summary_activation", "summary_proj_to_labels",
                "summary_first_dropout", "n_special", "predict_special_tokens"},
           without_effect);
  add_decoder_keys(to);
  to.aliases = {{"hidden_size", "n_embd"}, {"max_position_embeddings", "n_positions"}, {"num_attention_heads", "n_head"}, {"num_hidden_layers", "n_layer"}};
  return to;
}

[[nodiscard]] inline ConfigKeys llama_keys(std::string_view type) {
  using enum ConfigKeyUse;
  ConfigKeys to;
  add_keys(to, {"hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "head_dim", "intermediate_size", "max_position_embeddings", "rms_norm_eps", "hidden_act",
                "rope_parameters", "rope_scaling", "rope_theta", "original_max_position_embeddings", "layer_types"},
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
  add_keys(to, {"d_model", "d_kv", "d_ff", "num_layers", "num_decoder_layers", "num_heads", "relative_attention_num_buckets", "relative_attention_max_distance", "layer_norm_epsilon",
                "feed_forward_proj", "dense_act_fn", "is_gated_act", "scale_decoder_outputs"},
           honoured);
  add_keys(to, {"dropout_rate", "initializer_factor", "n_positions"}, without_effect);
  add_encoder_decoder_keys(to);
  to.aliases = {{"hidden_size", "d_model"}, {"num_attention_heads", "num_heads"}, {"num_hidden_layers", "num_layers"}, {"head_dim", "d_kv"}};
  return to;
}

[[nodiscard]] inline ConfigKeys bart_keys() {
  using enum ConfigKeyUse;
  ConfigKeys to;
  add_keys(to, {"d_model", "encoder_layers", "encoder_attention_heads", "encoder_ffn_dim", "decoder_layers", "decoder_attention_heads", "decoder_ffn_dim", "max_position_embeddings",
                "activation_function", "scale_embedding"},
           honoured);
  add_keys(to, {"dropout", "attention_dropout", "activation_dropout", "encoder_layerdrop", "decoder_layerdrop", "classif_dropout", "init_std", "add_bias_logits", "save_step"}, without_effect);
  // of models that other classes of old releases computed
  add_keys(to, {"normalize_before", "add_final_layer_norm", "static_position_embeddings", "do_blenderbot_90_layernorm", "force_bos_token_to_be_generated"}, one_value, "[false]");
  add_keys(to, {"normalize_embedding"}, one_value, "[true]");
  add_keys(to, {"extra_pos_embeddings"}, one_value, "[2]");
  add_encoder_decoder_keys(to);
  to.aliases = {{"num_attention_heads", "encoder_attention_heads"}, {"hidden_size", "d_model"}, {"num_hidden_layers", "encoder_layers"}};
  return to;
}

[[nodiscard]] inline ConfigKeys bert_keys() {
  using enum ConfigKeyUse;
  ConfigKeys to;
  add_keys(to, {"hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "max_position_embeddings", "type_vocab_size", "layer_norm_eps", "hidden_act"}, honoured);
  add_keys(to, {"hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout", "directionality", "pooler_fc_size", "pooler_num_attention_heads", "pooler_num_fc_layers",
                "pooler_size_per_head", "pooler_type", "decoder_start_token_id", "forced_bos_token_id", "forced_eos_token_id"},
           without_effect);
  add_keys(to, {"position_embedding_type"}, one_value, R"(["absolute"])");
  add_keys(to, {"problem_type"}, one_value, R"(["single_label_classification"])");
  add_keys(to, {"is_decoder", "is_encoder_decoder"}, one_value, "[false]");
  return to;
}

}  // namespace detail

/// The values of `model_type` that are read.
inline constexpr std::array<std::string_view, 8> model_types = {"bart", "bert", "gpt2", "llama", "mistral", "qwen2", "roberta", "t5"};

/// The keys of checkpoints of this `model_type`: its own first, then those that all have. A key that stands nowhere here has no effect, and a warning says so.
[[nodiscard]] inline ConfigKeys config_keys(std::string_view model_type) {
  ConfigKeys keys = model_type == "gpt2"                             ? detail::gpt2_keys()
                    : model_type == "t5"                             ? detail::t5_keys()
                    : model_type == "bart"                           ? detail::bart_keys()
                    : model_type == "bert" || model_type == "roberta" ? detail::bert_keys()
                                                                     : detail::llama_keys(model_type);
  detail::add_common_keys(keys);
  return keys;
}

}  // namespace graft
