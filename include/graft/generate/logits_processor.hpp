/// @file
/// @brief Functions that change the scores of the next token: the hook by which generation is constrained.
#pragma once

#include <algorithm>
#include <functional>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include <graft/core/types.hpp>

namespace graft {

/// The scores of the next token, one for each vocabulary entry: logits in greedy search and sampling, log-probabilities in beam search.
/// It hides whether they are float or double, so that processors and settings are no templates.
class Scores {
 public:
  Scores(float* scores, Index size) : single_(scores), size_(size) {}
  Scores(double* scores, Index size) : double_(scores), size_(size) {}

  [[nodiscard]] Index size() const { return size_; }
  [[nodiscard]] bool has(Token token) const { return token >= 0 && token < size_; }
  [[nodiscard]] double operator[](Token token) const { return single_ ? static_cast<double>(single_[token]) : double_[token]; }
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

/// The first generated token is `token` (transformers: forced_bos_token_id).
[[nodiscard]] inline LogitsProcessor force_first(Token token) {
  return [token](History const& history, Scores& scores) {
    if (history.generated() == 0 && scores.has(token)) scores.force(token);
  };
}
/// The last of `max_new_tokens` is `token`, if the text has not ended before (transformers: forced_eos_token_id).
[[nodiscard]] inline LogitsProcessor force_last(Token token, Index max_new_tokens) {
  return [token, max_new_tokens](History const& history, Scores& scores) {
    if (history.generated() == max_new_tokens - 1 && scores.has(token)) scores.force(token);
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
