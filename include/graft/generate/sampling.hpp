/// @file
/// @brief Sampling with temperature, top-k, top-p and min-p.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
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

}  // namespace detail

/// Samples `settings.sequences` texts for each prompt of a decoding session.
template <DecodingSession Session>
[[nodiscard]] Generations decode(Session& session, Sampling const& settings) {
  using Scalar = typename Session::scalar_type;
  detail::check(settings);
  auto const key = RandomKey(settings.seed).with("sampling");
  auto const choose = [&](detail::LiveText const& text, Scalar const* scores, Index vocabulary) {
    auto const stream =
        key.with(static_cast<std::uint64_t>(text.number)).with(static_cast<std::uint64_t>(text.sequence));
    return detail::draw(detail::sampling_candidates(scores, vocabulary, settings),
                        stream.uniform(static_cast<std::uint64_t>(text.generated())));
  };
  auto const limits = detail::limits_of(settings);
  return detail::write_token_by_token(session, limits, settings.sequences, settings.on_token,
                                      detail::FromLogits(session, detail::processors_of(limits), choose));
}

}  // namespace graft
