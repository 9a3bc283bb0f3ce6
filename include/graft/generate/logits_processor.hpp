/// @file
/// @brief Functions that change the scores of the next token: the hook by which generation is constrained.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include <graft/core/types.hpp>

namespace graft {

/// The scores of the next token, one for each vocabulary entry: logits in greedy search and sampling, log-probabilities
/// in beam search. It hides whether they are float or double, so that processors and settings are no templates.
class Scores {
 public:
  Scores(float* scores, Index size) : single_(scores), size_(size) {}
  Scores(double* scores, Index size) : double_(scores), size_(size) {}

  [[nodiscard]] Index size() const { return size_; }
  [[nodiscard]] bool has(Token token) const { return token >= 0 && token < size_; }
  [[nodiscard]] double operator[](Token token) const {
    return single_ ? static_cast<double>(single_[token]) : double_[token];
  }
  void set(Token token, double score) {
    single_ ? static_cast<void>(single_[token] = static_cast<float>(score)) : static_cast<void>(double_[token] = score);
  }
  /// The token cannot come next.
  void forbid(Token token) { set(token, -std::numeric_limits<double>::infinity()); }
  /// No other token can come next.
  void force(Token token) {
    double const kept = (*this)[token];
    for (Index v = 0; v < size_; ++v) forbid(static_cast<Token>(v));
    set(token, kept);
  }
  /// The token comes next whatever the model says: its log-probability is 0, and no other token can come.
  void make_certain(Token token) {
    for (Index v = 0; v < size_; ++v) forbid(static_cast<Token>(v));
    set(token, 0);
  }

 private:
  float* single_ = nullptr;
  double* double_ = nullptr;
  Index size_;
};

/// What has been written so far.
struct History {
  std::span<Token const> tokens;  ///< the prompt and what was generated after it
  Index prompt_length = 0;
  Index prompt = 0;  ///< number of the prompt in the whole list

  [[nodiscard]] Index generated() const { return static_cast<Index>(tokens.size()) - prompt_length; }
};

/// Changes the scores of the token that follows `history`. It may run on several threads at once.
using LogitsProcessor = std::function<void(History const& history, Scores& scores)>;

/// No end token before `count` generated tokens.
[[nodiscard]] inline LogitsProcessor min_new_tokens(Index count, std::vector<Token> end_tokens) {
  return [count, ends = std::move(end_tokens)](History const& history, Scores& scores) {
    if (history.generated() >= count) return;
    for (Token end : ends)
      if (scores.has(end)) scores.forbid(end);
  };
}

/// The first generated token is `token` (transformers: forced_bos_token_id). A forced token adds
/// nothing to the score of a beam among several.
[[nodiscard]] inline LogitsProcessor force_first(Token token) {
  return [token](History const& history, Scores& scores) {
    if (history.generated() == 0 && scores.has(token)) scores.make_certain(token);
  };
}
/// The last of `max_new_tokens` is `token`, if the text has not ended before (transformers: forced_eos_token_id). A
/// forced token adds nothing to the score of a beam among several.
[[nodiscard]] inline LogitsProcessor force_last(Token token, Index max_new_tokens) {
  return [token, max_new_tokens](History const& history, Scores& scores) {
    if (history.generated() == max_new_tokens - 1 && scores.has(token)) scores.make_certain(token);
  };
}

/// None of `tokens`, ever (transformers: suppress_tokens).
[[nodiscard]] inline LogitsProcessor suppress(std::vector<Token> tokens) {
  return [tokens = std::move(tokens)](History const&, Scores& scores) {
    for (Token token : tokens)
      if (scores.has(token)) scores.forbid(token);
  };
}
/// None of `tokens` as first token (transformers: begin_suppress_tokens). Where the first token
/// after a start token is forced, it is the second that counts.
[[nodiscard]] inline LogitsProcessor suppress_first(std::vector<Token> tokens, bool first_is_forced = false) {
  return [tokens = std::move(tokens), first_is_forced](History const& history, Scores& scores) {
    if (history.generated() != (first_is_forced && history.prompt_length == 1 ? 1 : 0)) return;
    for (Token token : tokens)
      if (scores.has(token)) scores.forbid(token);
  };
}

/// None of the sequences `words` in what is generated; they may begin in the prompt (transformers:
/// bad_words_ids). A single end token is allowed all the same.
[[nodiscard]] inline LogitsProcessor forbid_words(std::vector<std::vector<Token>> words,
                                                  std::vector<Token> const& end_tokens = {}) {
  auto const harmless = [&](std::vector<Token> const& word) {
    return word.empty() ||
           (word.size() == 1 && std::find(end_tokens.begin(), end_tokens.end(), word.front()) != end_tokens.end());
  };
  words.erase(std::remove_if(words.begin(), words.end(), harmless), words.end());
  return [words = std::move(words)](History const& history, Scores& scores) {
    for (auto const& word : words) {
      if (word.size() - 1 > history.tokens.size() || !scores.has(word.back())) continue;
      if (std::equal(word.begin(), word.end() - 1, history.tokens.end() - static_cast<Index>(word.size() - 1)))
        scores.forbid(word.back());
    }
  };
}

/// Makes log-probabilities of the scores again after other processors changed them (transformers: renormalize_logits).
[[nodiscard]] inline LogitsProcessor renormalise() {
  return [](History const&, Scores& scores) {
    double largest = -std::numeric_limits<double>::infinity(), sum = 0;
    for (Index v = 0; v < scores.size(); ++v) largest = std::max(largest, scores[static_cast<Token>(v)]);
    if (largest == -std::numeric_limits<double>::infinity()) return;
    for (Index v = 0; v < scores.size(); ++v) sum += std::exp(scores[static_cast<Token>(v)] - largest);
    double const log_sum = largest + std::log(sum);
    for (Index v = 0; v < scores.size(); ++v)
      scores.set(static_cast<Token>(v), scores[static_cast<Token>(v)] - log_sum);
  };
}

/// Divides the positive and multiplies the negative scores of tokens that occur in the prompt or the text by `penalty`
/// (Keskar et al. 2019, CTRL, sec. 4.1, as transformers has it); > 1 discourages repetition.
[[nodiscard]] inline LogitsProcessor repetition_penalty(double penalty) {
  return [penalty](History const& history, Scores& scores) {
    std::vector<Token> seen(history.tokens.begin(), history.tokens.end());
    std::sort(seen.begin(), seen.end());
    seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
    for (Token token : seen)
      if (scores.has(token)) scores.set(token, scores[token] < 0 ? scores[token] * penalty : scores[token] / penalty);
  };
}

/// No sequence of `size` tokens occurs twice in prompt and text together (Paulus et al. 2017, sec. 2.5).
[[nodiscard]] inline LogitsProcessor no_repeat_ngram(Index size) {
  return [size](History const& history, Scores& scores) {
    auto const tokens = history.tokens;
    auto const n = static_cast<std::size_t>(size);
    if (tokens.size() < n) return;
    auto const suffix = tokens.last(n - 1);
    for (std::size_t first = 0; first + n <= tokens.size(); ++first)
      if (Token const last = tokens[first + n - 1];
          scores.has(last) && std::equal(suffix.begin(), suffix.end(), tokens.begin() + static_cast<Index>(first)))
        scores.forbid(last);
  };
}

}  // namespace graft
