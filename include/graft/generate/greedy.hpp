/// @file
/// @brief Greedy search.
#pragma once

#include <limits>
#include <utility>

#include <graft/generate/token_by_token.hpp>

namespace graft {

namespace detail {
/// The first of the largest scores; −1 where all are −∞.
template <class Scalar>
[[nodiscard]] Token most_probable(Scalar const* scores, Index vocabulary) {
  Token best = -1;
  Scalar largest = -std::numeric_limits<Scalar>::infinity();
  for (Index v = 0; v < vocabulary; ++v)
    if (scores[v] > largest) {
      largest = scores[v];
      best = static_cast<Token>(v);
    }
  return best;
}
}  // namespace detail

/// Greedy search in a decoding session; one text for each prompt.
template <DecodingSession Session>
[[nodiscard]] Generations decode(Session& session, Greedy const& settings) {
  detail::check(settings);
  auto const limits = detail::limits_of(settings);
  auto processors = detail::processors_of(limits);
  if constexpr (TopTokenSession<Session>)
    if (processors.empty() && session.finds_top(1))
      return detail::write_token_by_token(session, limits, 1, settings.on_token, detail::FromTop<Session>(session));
  auto const choose = [](detail::LiveText const&, typename Session::scalar_type const* scores, Index vocabulary) {
    return detail::most_probable(scores, vocabulary);
  };
  return detail::write_token_by_token(session, limits, 1, settings.on_token,
                                      detail::FromLogits(session, std::move(processors), choose));
}

}  // namespace graft
