/// @file
/// @brief The loop that greedy search and sampling share: every text gets one token a step, and finished texts leave
/// the batch.
#pragma once

#include <cmath>
#include <optional>
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

using LiveTexts = std::vector<LiveText*>;  ///< that are not finished, in the order of the whole list

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

/// Each text's next token, chosen from all logits.
template <DecodingSession Session, class Choose>
class FromLogits {
  using Scalar = typename Session::scalar_type;

 public:
  /// @param choose gives −1 where no token is allowed
  FromLogits(Session& session, std::vector<LogitsProcessor> processors, Choose const& choose)
      : session_(session), processors_(std::move(processors)), choose_(choose) {}

  void start(Index rows, LiveTexts const&) { take(session_.start(), rows); }
  void advance(std::vector<Index> const& parents, std::vector<Token> const& tokens, LiveTexts const&) {
    take(session_.advance(parents, tokens), static_cast<Index>(tokens.size()));
  }
  [[nodiscard]] Index vocabulary() const { return logits_.width(); }
  [[nodiscard]] std::pair<Token, double> next(Index, LiveText const& text) const {
    return next_token(text, std::as_const(logits_).row(text.row), logits_.width(),
                      log_sums_[static_cast<std::size_t>(text.row)], processors_, choose_);
  }

 private:
  void take(Tensor<Scalar> logits, Index rows) {
    logits_ = checked_logits(std::move(logits), rows);
    log_sums_ = log_sum_exp(logits_);
  }

  Session& session_;
  std::vector<LogitsProcessor> processors_;
  Choose const& choose_;
  Tensor<Scalar> logits_;
  std::vector<Scalar> log_sums_;
};

/// Each text's most probable token, as the session finds it.
template <DecodingSession Session>
class FromTop {
 public:
  explicit FromTop(Session& session) : session_(session) {}

  void start(Index rows, LiveTexts const&) { top_.emplace(checked_top(session_.start_top(1), rows)); }
  void advance(std::vector<Index> const& parents, std::vector<Token> const& tokens, LiveTexts const&) {
    top_.emplace(checked_top(session_.advance_top(parents, tokens, 1), static_cast<Index>(tokens.size())));
  }
  [[nodiscard]] Index vocabulary() const { return top_->vocabulary(); }
  [[nodiscard]] std::pair<Token, double> next(Index, LiveText const& text) const {
    return {top_->token(text.row, 0),
            static_cast<double>(top_->logit(text.row, 0)) - static_cast<double>(top_->log_sum(text.row))};
  }

 private:
  Session& session_;
  std::optional<TopTokens<typename Session::scalar_type>> top_;
};

/// Writes `sequences` texts for every prompt. `source` is told of every step and the texts that go on in it, and gives
/// the i-th one's next token.
template <DecodingSession Session, class Source>
[[nodiscard]] Generations write_token_by_token(Session& session, Limits const& limits, Index sequences,
                                               TokenCallback const& on_token, Source source) {
  auto const& prompts = session.prompts();
  if (prompts.empty()) return {};
  std::vector<LiveText> texts;
  for (std::size_t p = 0; p < prompts.size(); ++p)
    for (Index s = 0; s < sequences; ++s)
      texts.push_back({static_cast<Index>(p), s, limits.first_prompt + static_cast<Index>(p), static_cast<Index>(p),
                       prompts[p], static_cast<Index>(prompts[p].size())});

  LiveTexts live;
  for (auto& text : texts) live.push_back(&text);
  source.start(static_cast<Index>(prompts.size()), live);
  check_end_tokens(limits.end_tokens, source.vocabulary());
  for (Index step = 1;; ++step) {
    std::vector<std::pair<Token, double>> next(live.size());
    parallel_for(static_cast<Index>(live.size()), [&](Index i) {
      next[static_cast<std::size_t>(i)] = source.next(i, *live[static_cast<std::size_t>(i)]);
    });
    LiveTexts still;
    std::vector<Index> parents;
    std::vector<Token> tokens;
    for (std::size_t i = 0; i < live.size(); ++i) {
      auto& text = *live[i];
      auto const [token, log_probability] = next[i];
      text.tokens.push_back(token);
      text.score += log_probability;
      text.finished = ends_text(limits, token);
      if (on_token) on_token(limits.first_prompt * sequences + (live[i] - texts.data()), token);
      if (text.finished) continue;
      parents.push_back(text.row);
      tokens.push_back(token);
      text.row = static_cast<Index>(still.size());
      still.push_back(live[i]);
    }
    live = std::move(still);
    if (live.empty() || step == limits.max_new_tokens) break;
    source.advance(parents, tokens, live);
  }

  Generations result(prompts.size());
  for (auto const& text : texts)
    result[static_cast<std::size_t>(text.prompt)].push_back(
        {{text.tokens.begin() + text.prompt_length, text.tokens.end()}, text.score, text.finished});
  return result;
}

}  // namespace graft::detail
