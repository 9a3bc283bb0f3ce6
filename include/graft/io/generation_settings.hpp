/// @file
/// @brief What a generation_config.json says, as a value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <graft/core/types.hpp>

namespace graft {

namespace detail {

/// The search in which transformers reads a key.
enum class Matters : std::uint8_t { always, sampling, greedy, beams };

}  // namespace detail

/// What a generation_config.json says; an absent or null key is empty. As in transformers 5, config.json
/// is read only where there is no generation_config.json.
struct GenerationConfig {
  std::string where;      ///< the file
  bool own_file = false;  ///< generation_config.json, not config.json

  std::vector<Token> ends;
  std::optional<Token> bos, decoder_start, forced_bos, forced_eos;

  std::optional<Index> max_length, max_new_tokens, min_length,
      min_new_tokens;  ///< a length counts what the decoder reads first, too
  std::optional<bool> do_sample;
  std::optional<Index> beams, sequences, top_k, no_repeat_ngram;
  std::optional<double> temperature, top_p, min_p, repetition_penalty, length_penalty;
  std::optional<std::string> early_stopping;  ///< true, false or never
  std::vector<std::vector<Token>> bad_words;
  std::vector<Token> suppressed, first_suppressed;
  bool renormalise = false;

  /// A key with a value that graft cannot follow.
  struct Refused {
    std::string key, value;
    detail::Matters matters;
  };
  std::vector<Refused> refused;
  std::vector<std::string> unknown;  ///< keys that are in no list
};

}  // namespace graft
