/// @file
/// @brief Sampling with temperature, top-k, top-p and min-p.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include <graft/core/random.hpp>
#include <graft/generate/token_by_token.hpp>

namespace graft {

namespace detail {

/// A token that can be drawn, and its probability up to a common factor.
struct WeightedToken {
  double weight;
  Token token;
};

/// The k-th largest of the scores, or −∞ where all may stay.
template <class Scalar>
[[nodiscard]] Scalar top_k_threshold(Scalar const* scores, Index vocabulary, Index k) {
  if (k == 0 || k >= vocabulary) return -std::numeric_limits<Scalar>::infinity();
  std::vector<Scalar> sorted(scores, scores + vocabulary);
  std::nth_element(sorted.begin(), sorted.begin() + (k - 1), sorted.end(), std::greater<Scalar>());
  return sorted[static_cast<std::size_t>(k - 1)];
}

/// Keeps the most probable tokens until their mass reaches `top_p`; among equals the lower ids go first, as in
/// transformers. A heap, because few tokens of a large vocabulary stay.
inline void keep_top_p(std::vector<WeightedToken>& tokens, double top_p) {
  auto const less = [](WeightedToken const& a, WeightedToken const& b) {
    return a.weight != b.weight ? a.weight < b.weight : a.token < b.token;
  };
  double total = 0, mass = 0;
  for (auto const& entry : tokens) total += entry.weight;
  std::make_heap(tokens.begin(), tokens.end(), less);
  auto rest = tokens.end();
  do {
    std::pop_heap(tokens.begin(), rest, less);
    mass += (--rest)->weight;
  } while (rest != tokens.begin() && mass < top_p * total);
  tokens.erase(tokens.begin(), rest);
}

/// What top-p and min-p leave of the tokens, by ascending id.
[[nodiscard]] inline std::vector<WeightedToken> filtered(std::vector<WeightedToken> tokens, Sampling const& settings) {
  if (settings.top_p < 1) keep_top_p(tokens, settings.top_p);
  if (settings.min_p > 0)
    tokens.erase(std::remove_if(tokens.begin(), tokens.end(),
                                [&](WeightedToken const& entry) { return entry.weight < settings.min_p; }),
                 tokens.end());
  std::sort(tokens.begin(), tokens.end(),
            [](WeightedToken const& a, WeightedToken const& b) { return a.token < b.token; });
  return tokens;
}

/// A token by its score.
template <class Scalar>
[[nodiscard]] WeightedToken weighted(Scalar score, Scalar largest, Token token, Sampling const& settings) {
  return {std::exp((static_cast<double>(score) - static_cast<double>(largest)) / settings.temperature), token};
}

/// The tokens that may be drawn, by ascending id; empty where every score is −∞.
template <class Scalar>
[[nodiscard]] std::vector<WeightedToken> sampling_candidates(Scalar const* scores, Index vocabulary,
                                                             Sampling const& settings) {
  Scalar const threshold = top_k_threshold(scores, vocabulary, settings.top_k);
  Scalar const largest = *std::max_element(scores, scores + vocabulary);
  std::vector<WeightedToken> tokens;
  if (largest == -std::numeric_limits<Scalar>::infinity()) return tokens;
  for (Index v = 0; v < vocabulary; ++v)
    if (scores[v] >= threshold && scores[v] > -std::numeric_limits<Scalar>::infinity())
      tokens.push_back(weighted(scores[v], largest, static_cast<Token>(v), settings));
  return filtered(std::move(tokens), settings);
}

/// The same of the most probable tokens that a session has found; nothing where more tokens than it found may have the
/// score of the last that top-k keeps.
template <class Scalar>
[[nodiscard]] std::optional<std::vector<WeightedToken>> sampling_candidates(TopTokens<Scalar> const& top, Index row,
                                                                            Sampling const& settings) {
  Index const last = top.count() - 1;
  Scalar const threshold = top.logit(row, std::min(settings.top_k - 1, last));
  if (top.token(row, last) >= 0 && top.logit(row, last) >= threshold && top.count() < top.vocabulary()) return {};
  std::vector<WeightedToken> tokens;
  for (Index n = 0; n <= last && top.token(row, n) >= 0 && top.logit(row, n) >= threshold; ++n)
    tokens.push_back(weighted(top.logit(row, n), top.logit(row, 0), top.token(row, n), settings));
  return filtered(std::move(tokens), settings);
}

/// The token at the quantile `uniform` in [0, 1) of the candidates' distribution.
[[nodiscard]] inline Token draw(std::vector<WeightedToken> const& tokens, double uniform) {
  double total = 0;
  for (auto const& entry : tokens) total += entry.weight;
  double left = uniform * total;
  Token drawn = -1;
  for (auto const& entry : tokens) {
    if (entry.weight > 0) drawn = entry.token;
    left -= entry.weight;
    if (left < 0) break;
  }
  return drawn;
}

/// Draws each text's next token from the most probable ones, as the session finds them. Where several have the score of
/// the last that top-k keeps, so that it may have found too few, it reads all logits.
template <DecodingSession Session, class Uniform>
class FromTopK {
  using Scalar = typename Session::scalar_type;

 public:
  /// How many tokens are asked for: some more than top-k keeps, for equal scores.
  [[nodiscard]] static Index count(Sampling const& settings) { return settings.top_k + 8; }

  /// @param uniform the number in [0, 1) for a text's next token
  FromTopK(Session& session, Sampling const& settings, Uniform const& uniform)
      : session_(session), settings_(settings), uniform_(uniform) {}

  void start(Index rows) { take(session_.start_top(count(settings_)), rows); }
  void advance(std::vector<Index> const& parents, std::vector<Token> const& tokens) {
    take(session_.advance_top(parents, tokens, count(settings_)), static_cast<Index>(tokens.size()));
  }
  [[nodiscard]] Index vocabulary() const { return top_->vocabulary(); }
  [[nodiscard]] std::pair<Token, double> next(LiveText const& text) const {
    auto const& candidates = candidates_[static_cast<std::size_t>(text.row)];
    Token const token = draw(candidates, uniform_(text));
    return {token, static_cast<double>(logit_of(token, text.row)) - static_cast<double>(top_->log_sum(text.row))};
  }

 private:
  void take(TopTokens<Scalar> top, Index rows) {
    top_.emplace(checked_top(std::move(top), rows));
    candidates_.clear();
    logits_ = {};
    for (Index row = 0; row < rows; ++row) {
      auto found = sampling_candidates(*top_, row, settings_);
      if (!found) {
        if (logits_.empty()) logits_ = session_.last_logits();
        found = sampling_candidates(std::as_const(logits_).row(row), logits_.width(), settings_);
      }
      candidates_.push_back(*std::move(found));
    }
  }
  [[nodiscard]] Scalar logit_of(Token token, Index row) const {
    for (Index n = 0; n < top_->count(); ++n)
      if (top_->token(row, n) == token) return top_->logit(row, n);
    return std::as_const(logits_).row(row)[token];
  }

  Session& session_;
  Sampling const& settings_;
  Uniform const& uniform_;
  std::optional<TopTokens<Scalar>> top_;
  std::vector<std::vector<WeightedToken>> candidates_;  ///< of each row
  Tensor<Scalar> logits_;                               ///< of the step, where they were read
};

}  // namespace detail

/// Samples `settings.sequences` texts for each prompt of a decoding session.
template <DecodingSession Session>
[[nodiscard]] Generations decode(Session& session, Sampling const& settings) {
  using Scalar = typename Session::scalar_type;
  detail::check(settings);
  auto const key = RandomKey(settings.seed).with("sampling");
  auto const uniform = [&](detail::LiveText const& text) {
    auto const stream =
        key.with(static_cast<std::uint64_t>(text.number)).with(static_cast<std::uint64_t>(text.sequence));
    return stream.uniform(static_cast<std::uint64_t>(text.generated()));
  };
  auto const limits = detail::limits_of(settings);
  auto processors = detail::processors_of(limits);
  if constexpr (TopTokenSession<Session>) {
    using Top = detail::FromTopK<Session, decltype(uniform)>;
    if (processors.empty() && settings.top_k > 0 && session.finds_top(Top::count(settings)))
      return detail::write_token_by_token(session, limits, settings.sequences, settings.on_token,
                                          Top(session, settings, uniform));
  }
  auto const choose = [&](detail::LiveText const& text, Scalar const* scores, Index vocabulary) {
    return detail::draw(detail::sampling_candidates(scores, vocabulary, settings), uniform(text));
  };
  return detail::write_token_by_token(session, limits, settings.sequences, settings.on_token,
                                      detail::FromLogits(session, std::move(processors), choose));
}

}  // namespace graft
