/// @file
/// @brief The keys of a generation_config.json that graft does not follow: those without effect on the text, and those
/// that it refuses.
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include <graft/io/generation_settings.hpp>

namespace graft::detail {

/// Keys that change speed, memory or what is returned, never the text.
inline constexpr std::array idle_generation_keys{"_commit_hash",
                                                 "_from_model_config",
                                                 "assistant_confidence_threshold",
                                                 "assistant_early_exit",
                                                 "assistant_ensemble_weight",
                                                 "assistant_lookbehind",
                                                 "bos_token_id",
                                                 "cache_config",
                                                 "cache_implementation",
                                                 "compile_config",
                                                 "continuous_batching_config",
                                                 "disable_compile",
                                                 "is_assistant",
                                                 "low_memory",
                                                 "max_cache_len",
                                                 "max_matching_ngram_size",
                                                 "num_assistant_tokens",
                                                 "num_assistant_tokens_schedule",
                                                 "output_attentions",
                                                 "output_hidden_states",
                                                 "output_logits",
                                                 "output_scores",
                                                 "pad_token_id",
                                                 "prefill_chunk_size",
                                                 "prompt_lookup_num_tokens",
                                                 "remove_invalid_values",
                                                 "return_dict_in_generate",
                                                 "speculation_type",
                                                 "target_lookbehind",
                                                 "transformers_version",
                                                 "use_cache",
                                                 "use_mtp"};

/// Keys that are read; see `GenerationConfig`.
inline constexpr std::array read_generation_keys{"bad_words_ids",
                                                 "begin_suppress_tokens",
                                                 "decoder_start_token_id",
                                                 "do_sample",
                                                 "early_stopping",
                                                 "eos_token_id",
                                                 "forced_bos_token_id",
                                                 "forced_eos_token_id",
                                                 "length_penalty",
                                                 "max_length",
                                                 "max_new_tokens",
                                                 "min_length",
                                                 "min_new_tokens",
                                                 "min_p",
                                                 "no_repeat_ngram_size",
                                                 "num_beams",
                                                 "num_return_sequences",
                                                 "renormalize_logits",
                                                 "repetition_penalty",
                                                 "suppress_tokens",
                                                 "temperature",
                                                 "top_k",
                                                 "top_p"};

/// A key whose values other than the neutral ones are refused where they have an effect.
struct RefusedGenerationKey {
  char const* name;
  Matters matters;
  bool (*neutral)(nlohmann::json const&);
};

[[nodiscard]] inline bool is_number_up_to(nlohmann::json const& value, double most) {
  return value.is_number() && value.get<double>() <= most;
}
[[nodiscard]] inline bool is_one_or_more(nlohmann::json const& value) {
  return value.is_number() && value.get<double>() >= 1;
}
[[nodiscard]] inline bool is_one(nlohmann::json const& value) { return value.is_number() && value.get<double>() == 1; }
[[nodiscard]] inline bool is_no_cutoff(nlohmann::json const& value) {
  return value.is_number() && !(value.get<double>() > 0 && value.get<double>() < 1);
}
[[nodiscard]] inline bool is_false(nlohmann::json const& value) { return value == false; }
[[nodiscard]] inline bool is_zero_or_less(nlohmann::json const& value) { return is_number_up_to(value, 0); }
[[nodiscard]] inline bool is_one_or_less(nlohmann::json const& value) { return is_number_up_to(value, 1); }
[[nodiscard]] inline bool is_never_neutral(nlohmann::json const&) { return false; }

/// Null is neutral for all.
inline constexpr std::array<RefusedGenerationKey, 19> refused_generation_keys{
    {{"constraints", Matters::always, is_never_neutral},
     {"diversity_penalty", Matters::beams, is_zero_or_less},
     {"dola_layers", Matters::always, is_never_neutral},
     {"encoder_no_repeat_ngram_size", Matters::always, is_zero_or_less},
     {"encoder_repetition_penalty", Matters::always, is_one},
     {"epsilon_cutoff", Matters::sampling, is_no_cutoff},
     {"eta_cutoff", Matters::sampling, is_no_cutoff},
     {"exponential_decay_length_penalty", Matters::always, is_never_neutral},
     {"force_words_ids", Matters::always, is_never_neutral},
     {"guidance_scale", Matters::always, is_one},
     {"max_time", Matters::always, is_never_neutral},
     {"num_beam_groups", Matters::beams, is_one_or_less},
     {"penalty_alpha", Matters::greedy, is_zero_or_less},
     {"sequence_bias", Matters::always, is_never_neutral},
     {"stop_strings", Matters::always, is_never_neutral},
     {"token_healing", Matters::always, is_false},
     {"top_h", Matters::sampling, is_never_neutral},
     {"typical_p", Matters::sampling, is_one_or_more},
     {"watermarking_config", Matters::always, is_never_neutral}}};

[[nodiscard]] inline bool is_known_generation_key(std::string_view key) {
  auto const in = [&](auto const& keys) { return std::find(keys.begin(), keys.end(), key) != keys.end(); };
  return in(idle_generation_keys) || in(read_generation_keys) ||
         std::any_of(refused_generation_keys.begin(), refused_generation_keys.end(),
                     [&](auto const& refused) { return key == refused.name; });
}

}  // namespace graft::detail
