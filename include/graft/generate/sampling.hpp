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
      tokens.push_back(
          {std::exp((static_cast<double>(scores[v]) - static_cast<double>(largest)) / settings.temperature),
           static_cast<Token>(v)});
  if (settings.top_p < 1) keep_top_p(tokens, settings.top_p);
  if (settings.min_p > 0)
    tokens.erase(std::remove_if(tokens.begin(), tokens.end(),
                                [&](WeightedToken const& entry) { return entry.weight < settings.min_p; }),
                 tokens.end());
  std::sort(tokens.begin(), tokens.end(),
            [](WeightedToken const& a, WeightedToken const& b) { return a.token < b.token; });
  return tokens;
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

/// Each text's next token, as the session draws it.
template <DecodingSession Session, class Uniform>
class FromDrawn {
 public:
  /// @param uniform the number in [0, 1) for a text's next token
  FromDrawn(Session& session, Sampling const& settings, Uniform const& uniform)
      : session_(session),
        rule_{settings.temperature, settings.top_k, settings.top_p, settings.min_p},
        uniform_(uniform) {}

  void start(Index, LiveTexts const& live) { take(session_.start_drawn(draws(live)), live); }
  void advance(std::vector<Index> const& parents, std::vector<Token> const& tokens, LiveTexts const& live) {
    take(session_.advance_drawn(parents, tokens, draws(live)), live);
  }
  [[nodiscard]] Index vocabulary() const { return drawn_->vocabulary(); }
  [[nodiscard]] std::pair<Token, double> next(Index i, LiveText const&) const {
    return {drawn_->token(i), drawn_->log_probability(i)};
  }

 private:
  /// The texts stand in the order of their rows, those of a prompt side by side.
  [[nodiscard]] Draws draws(LiveTexts const& live) const {
    Draws result{rule_, Tensor<double>(Shape{static_cast<Index>(live.size())})};
    for (std::size_t i = 0; i < live.size(); ++i) result.uniforms.data()[i] = uniform_(*live[i]);
    return result;
  }
  void take(DrawnTokens drawn, LiveTexts const& live) {
    drawn_.emplace(checked_drawn(std::move(drawn), static_cast<Index>(live.size())));
  }

  Session& session_;
  kernels::SamplingRule rule_;
  Uniform const& uniform_;
  std::optional<DrawnTokens> drawn_;
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
  if constexpr (DrawingSession<Session>)
    if (processors.empty() && session.draws())
      return detail::write_token_by_token(session, limits, settings.sequences, settings.on_token,
                                          detail::FromDrawn(session, settings, uniform));
  auto const choose = [&](detail::LiveText const& text, Scalar const* scores, Index vocabulary) {
    return detail::draw(detail::sampling_candidates(scores, vocabulary, settings), uniform(text));
  };
  return detail::write_token_by_token(session, limits, settings.sequences, settings.on_token,
                                      detail::FromLogits(session, std::move(processors), choose));
}

}  // namespace graft
