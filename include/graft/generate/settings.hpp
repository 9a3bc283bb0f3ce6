/// @file
/// @brief How text is generated: `Greedy`, `Sampling`, `BeamSearch`, and what they have in common.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <vector>

#include <graft/core/error.hpp>
#include <graft/core/numbers.hpp>
#include <graft/generate/logits_processor.hpp>

namespace graft {

/// Called with every token as soon as it is chosen; `text` counts prompts × sequences, from `first_prompt` on.
using TokenCallback = std::function<void(Index text, Token token)>;

/// The settings that every search has, under the same names.
struct Limits {
  Index max_new_tokens = 128;
  Index min_new_tokens = 0;                        ///< no end token before so many
  std::vector<Token> end_tokens = {};              ///< each ends a text; empty: only max_new_tokens does
  double repetition_penalty = 1.0;                 ///< of tokens that occurred; > 1 discourages them
  Index no_repeat_ngram = 0;                       ///< n-grams of this size occur once; 0: no limit
  std::vector<std::vector<Token>> bad_words = {};  ///< sequences of tokens that never occur; a single end token is none
  std::vector<LogitsProcessor> processors = {};    ///< further changes to the scores, after those above
  Index first_prompt =
      0;  ///< number of the first prompt: a long list gives the same texts in however many pieces it is generated
  /// which adapter of an `AdapterTable` each prompt has, −1 for none; empty for 0 in all
  std::vector<Index> adapters = {};
};

/// The most probable token at every step; the lowest id among equals.
struct Greedy {
  Index max_new_tokens = 128;
  Index min_new_tokens = 0;
  std::vector<Token> end_tokens = {};
  double repetition_penalty = 1.0;
  Index no_repeat_ngram = 0;
  std::vector<std::vector<Token>> bad_words = {};
  std::vector<LogitsProcessor> processors = {};
  Index first_prompt = 0;
  std::vector<Index> adapters = {};
  TokenCallback on_token = {};
};

/// Tokens drawn from p ∝ exp(z / temperature), restricted by top_k, then top_p, then min_p. The numbers are addressed
/// by (seed, prompt, sequence, position): a text depends on its prompt's number, never on the other prompts.
struct Sampling {
  Index max_new_tokens = 128;
  Index min_new_tokens = 0;
  std::vector<Token> end_tokens = {};
  double repetition_penalty = 1.0;
  Index no_repeat_ngram = 0;
  std::vector<std::vector<Token>> bad_words = {};
  std::vector<LogitsProcessor> processors = {};
  Index first_prompt = 0;
  std::vector<Index> adapters = {};
  TokenCallback on_token = {};

  double temperature = 1.0;
  Index top_k = 0;  ///< only the k most probable tokens (and those equal to the k-th); 0: all
  double top_p =
      1.0;  ///< only the most probable tokens whose mass first reaches p (Holtzman et al. 2020); at least one
  double min_p = 0.0;  ///< only tokens at least min_p times as probable as the most probable one
  std::uint64_t seed = 0;
  Index sequences = 1;  ///< texts for each prompt
};

/// When a prompt's beams stop.
enum class EarlyStopping {
  heuristic,  ///< when the best live beam, taken at its present length, is no better than the worst finished text
              ///< (transformers: False)
  when_full,  ///< as soon as there are `beams` finished texts (transformers: True)
  never,  ///< when no live beam can still become better, at the greatest length where length_penalty > 0 (transformers:
          ///< "never")
};

/// Beam search as transformers 5 defines it: score = Σ log p / |generated tokens, the end token
/// included|^length_penalty, with p after the processors. With one beam transformers searches greedily and gives no
/// score; here it is that of the model's own p, which forced tokens have too.
struct BeamSearch {
  Index max_new_tokens = 128;
  Index min_new_tokens = 0;
  std::vector<Token> end_tokens = {};
  double repetition_penalty = 1.0;
  Index no_repeat_ngram = 0;
  std::vector<std::vector<Token>> bad_words = {};
  std::vector<LogitsProcessor> processors = {};
  Index first_prompt = 0;
  std::vector<Index> adapters = {};

  Index beams = 5;  ///< 1 is greedy search
  double length_penalty = 1.0;
  EarlyStopping early_stopping = EarlyStopping::heuristic;
  Index sequences = 1;  ///< texts returned for each prompt, best first
};

namespace detail {

template <class Settings>
[[nodiscard]] Limits limits_of(Settings const& s) {
  return {s.max_new_tokens, s.min_new_tokens, s.end_tokens, s.repetition_penalty, s.no_repeat_ngram, s.bad_words,
          s.processors,     s.first_prompt,   s.adapters};
}

inline void check(Limits const& limits) {
  check_count("generate", "max_new_tokens", limits.max_new_tokens);
  check_count("generate", "no_repeat_ngram", limits.no_repeat_ngram);
  check_finite("generate", "repetition_penalty", limits.repetition_penalty);
  if (limits.max_new_tokens < 1)
    fail<ConfigError>("[generate] got max_new_tokens ", limits.max_new_tokens, "; expected at least 1");
  if (limits.min_new_tokens < 0 || limits.min_new_tokens > limits.max_new_tokens)
    fail<ConfigError>("[generate] got min_new_tokens ", limits.min_new_tokens,
                      "; expected 0 to max_new_tokens = ", limits.max_new_tokens);
  if (!(limits.repetition_penalty > 0))
    fail<ConfigError>("[generate] got repetition_penalty ", limits.repetition_penalty,
                      "; expected more than 0, 1 for none");
  if (limits.no_repeat_ngram < 0)
    fail<ConfigError>("[generate] got no_repeat_ngram ", limits.no_repeat_ngram,
                      "; expected a size, or 0 for no limit");
  if (limits.first_prompt < 0)
    fail<ConfigError>("[generate] got first_prompt ", limits.first_prompt, "; expected a number of 0 or more");
}
inline void check(Greedy const& settings) { check(limits_of(settings)); }
inline void check(Sampling const& settings) {
  check(limits_of(settings));
  check_finite("generate", "temperature", settings.temperature);
  check_count("generate", "top_k", settings.top_k);
  check_count("generate", "sequences", settings.sequences);
  if (!(settings.temperature > 0))
    fail<ConfigError>("[generate] got temperature ", settings.temperature,
                      "; expected more than 0; hint: Greedy takes the most probable token");
  if (settings.top_k < 0)
    fail<ConfigError>("[generate] got top_k ", settings.top_k, "; expected a number of tokens, or 0 for all");
  check_share("generate", "top_p", settings.top_p);
  check_share("generate", "min_p", settings.min_p);
  if (settings.sequences < 1)
    fail<ConfigError>("[generate] got ", settings.sequences, " sequences; expected at least 1 for each prompt");
}
inline void check(BeamSearch const& settings) {
  check(limits_of(settings));
  check_count("generate", "beams", settings.beams);
  check_finite("generate", "length_penalty", settings.length_penalty);
  if (settings.beams < 1) fail<ConfigError>("[generate] got ", settings.beams, " beams; expected at least 1");
  if (settings.sequences < 1 || settings.sequences > settings.beams)
    fail<ConfigError>("[generate] got ", settings.sequences, " sequences; expected 1 to the number of beams, ",
                      settings.beams);
}

/// An end token outside the vocabulary could never end a text.
inline void check_end_tokens(std::vector<Token> const& ends, Index vocabulary) {
  for (Token end : ends)
    if (end < 0 || end >= vocabulary)
      fail<ConfigError>("[generate] got end token ", end, "; expected 0 to ", vocabulary - 1, " in a vocabulary of ",
                        vocabulary);
}

/// The processors that the limits ask for, in transformers' order.
[[nodiscard]] inline std::vector<LogitsProcessor> processors_of(Limits const& limits) {
  std::vector<LogitsProcessor> chain;
  if (limits.repetition_penalty != 1.0) chain.push_back(repetition_penalty(limits.repetition_penalty));
  if (limits.no_repeat_ngram > 0) chain.push_back(no_repeat_ngram(limits.no_repeat_ngram));
  if (!limits.bad_words.empty()) chain.push_back(forbid_words(limits.bad_words, limits.end_tokens));
  if (limits.min_new_tokens > 0 && !limits.end_tokens.empty())
    chain.push_back(min_new_tokens(limits.min_new_tokens, limits.end_tokens));
  chain.insert(chain.end(), limits.processors.begin(), limits.processors.end());
  return chain;
}

[[nodiscard]] inline bool ends_text(Limits const& limits, Token token) {
  return std::find(limits.end_tokens.begin(), limits.end_tokens.end(), token) != limits.end_tokens.end();
}

}  // namespace detail
}  // namespace graft
