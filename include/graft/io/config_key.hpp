/// @file
/// @brief What every key of config.json means to the forward pass: honoured, without effect, or refused unless it has
/// one value.
#pragma once

#include <string_view>
#include <vector>

namespace graft {

enum class ConfigKeyUse {
  honoured,        ///< read, with any value that makes sense
  without_effect,  ///< known, and no part of the forward pass: dropout, names, defaults of generation, …
  one_value,       ///< null and the values of `allowed` pass; others ask for what is not computed here, and are refused
};

/// A key of config.json.
struct ConfigKey {
  std::string_view name;
  ConfigKeyUse use = ConfigKeyUse::honoured;
  std::string_view allowed = {};  ///< JSON array
};

/// A second spelling of a key. Where both stand in a file, transformers takes this one (the configurations'
/// `attribute_map`).
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
  add_keys(to,
           {"model_type", "vocab_size", "tie_word_embeddings", "num_labels", "id2label", "bos_token_id", "eos_token_id",
            "pad_token_id"},
           honoured);
  add_keys(to,
           {"architectures",
            "transformers_version",
            "name_or_path",
            "auto_map",
            "tokenizer_class",
            "finetuning_task",
            "task_specific_params",
            "label2id",
            "prefix",
            "dtype",
            "torch_dtype",
            "use_bfloat16",
            "torchscript",
            "tf_legacy_loss",
            "return_dict",
            "use_return_dict",
            "output_hidden_states",
            "output_attentions",
            "output_scores",
            "output_past",
            "return_dict_in_generate",
            "use_cache",
            "gradient_checkpointing",
            "chunk_size_feed_forward",
            "attn_implementation",
            "initializer_range",
            "unk_token_id",
            "sep_token_id",
            "cls_token_id",
            "mask_token_id",
            "remove_invalid_values",
            "transformers.js_config",
            "unsloth_version",
            "unsloth_fixed"},
           without_effect);
  // defaults of generation, which transformers 5 takes from generation_config.json alone
  add_keys(to,
           {"max_length",
            "max_new_tokens",
            "min_length",
            "do_sample",
            "early_stopping",
            "num_beams",
            "num_beam_groups",
            "diversity_penalty",
            "temperature",
            "top_k",
            "top_p",
            "typical_p",
            "repetition_penalty",
            "length_penalty",
            "no_repeat_ngram_size",
            "encoder_no_repeat_ngram_size",
            "bad_words_ids",
            "num_return_sequences",
            "exponential_decay_length_penalty",
            "suppress_tokens",
            "begin_suppress_tokens"},
           without_effect);
  add_keys(to, {"tie_encoder_decoder", "add_cross_attention"}, one_value, "[false]");
  add_keys(to, {"pruned_heads"}, one_value, "[{}, []]");
  add_keys(to,
           {"quantization_config", "compression_config", "per_layer_config", "cross_attention_hidden_size",
            "transformers_weights", "configuration_files"},
           one_value, "[]");
}

}  // namespace detail

}  // namespace graft
