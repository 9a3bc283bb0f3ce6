/// @file
/// @brief The loop that greedy search and sampling share: every text gets one token a step, and finished texts leave
/// the batch.
#pragma once

#include <cmath>
#include <utility>
#include <vector>

#include <graft/core/thread_pool.hpp>
#include <graft/generate/log_sum_exp.hpp>
#include <graft/generate/result.hpp>
#include <graft/generate/session.hpp>
#include <graft/generate/settings.hpp>

namespace graft::detail {

/// A text being written.
struct LiveText {
  Index prompt, sequence;     ///< which text of which prompt of the session
  Index number;               ///< of the prompt in the whole list
  Index row;                  ///< of the last logits
  std::vector<Token> tokens;  ///< prompt and text
  Index prompt_length;
  double score = 0;
  bool finished = false;

  [[nodiscard]] Index generated() const { return static_cast<Index>(tokens.size()) - prompt_length; }
};

/// The token that `choose(text, scores, vocabulary)` takes, and its log-probability under the model itself, whatever
/// the processors did.
template <class Scalar, class Choose>
[[nodiscard]] std::pair<Token, double> next_token(LiveText const& text, Scalar const* logits, Index vocabulary,
                                                  Scalar log_sum, std::vector<LogitsProcessor> const& processors,
                                                  Choose const& choose) {
  Scalar const* chosen_from = logits;
  std::vector<Scalar> processed;
  if (!processors.empty()) {
    processed.assign(logits, logits + vocabulary);
    Scores scores(processed.data(), vocabulary);
    for (auto const& process : processors) process({text.tokens, text.prompt_length, text.number}, scores);
    chosen_from = processed.data();
  }
  Token const token = choose(text, chosen_from, vocabulary);
  if (token < 0) fail_all_forbidden(text.number, text.generated());
  return {token, static_cast<double>(logits[token]) - static_cast<double>(log_sum)};
}

/// Writes `sequences` texts for every prompt. `choose` returns −1 where no token is allowed.
template <DecodingSession Session, class Choose>
[[nodiscard]] Generations write_token_by_token(Session& session, Limits const& limits, Index sequences,
                                               TokenCallback const& on_token, Choose const& choose) {
  auto const& prompts = session.prompts();
  if (prompts.empty()) return {};
  std::vector<LiveText> texts;
  for (std::size_t p = 0; p < prompts.size(); ++p)
    for (Index s = 0; s < sequences; ++s)
      texts.push_back({static_cast<Index>(p), s, limits.first_prompt + static_cast<Index>(p), static_cast<Index>(p),
                       prompts[p], static_cast<Index>(prompts[p].size())});

  auto const processors = processors_of(limits);
  auto logits = checked_logits(session.start(), static_cast<Index>(prompts.size()));
  check_end_tokens(limits.end_tokens, logits.width());
  std::vector<std::size_t> live(texts.size());
  for (std::size_t i = 0; i < live.size(); ++i) live[i] = i;
  for (Index step = 1;; ++step) {
    auto const log_sums = log_sum_exp(logits);
    std::vector<std::pair<Token, double>> next(live.size());
    parallel_for(static_cast<Index>(live.size()), [&](Index i) {
      auto const& text = texts[live[static_cast<std::size_t>(i)]];
      next[static_cast<std::size_t>(i)] = next_token(text, std::as_const(logits).row(text.row), logits.width(),
                                                     log_sums[static_cast<std::size_t>(text.row)], processors, choose);
    });
    std::vector<std::size_t> still;
    std::vector<Index> parents;
    std::vector<Token> tokens;
    for (std::size_t i = 0; i < live.size(); ++i) {
      auto& text = texts[live[i]];
      auto const [token, log_probability] = next[i];
      text.tokens.push_back(token);
      text.score += log_probability;
      text.finished = ends_text(limits, token);
      if (on_token) on_token(limits.first_prompt * sequences + static_cast<Index>(live[i]), token);
      if (text.finished) continue;
      parents.push_back(text.row);
      tokens.push_back(token);
      text.row = static_cast<Index>(still.size());
      still.push_back(live[i]);
    }
    live = std::move(still);
    if (live.empty() || step == limits.max_new_tokens) break;
    logits = checked_logits(session.advance(parents, tokens), static_cast<Index>(live.size()));
  }

  Generations result(prompts.size());
  for (auto const& text : texts)
    result[static_cast<std::size_t>(text.prompt)].push_back(
        {{text.tokens.begin() + text.prompt_length, text.tokens.end()}, text.score, text.finished});
  return result;
}

}  // namespace graft::detail
