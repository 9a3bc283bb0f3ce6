/// @file
/// @brief Beam search over the prompts of a decoding session.
#pragma once

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include <graft/core/thread_pool.hpp>
#include <graft/generate/greedy.hpp>
#include <graft/generate/prompt_beams.hpp>

namespace graft {

namespace detail {

/// The best continuations of every live beam: log-probabilities, changed by the processors (after the normalisation, as
/// in transformers), added to the beams' sums. Candidates are ordered by row; `logits` is overwritten.
template <class Scalar>
[[nodiscard]] std::vector<std::vector<BeamCandidate>> continuations(std::vector<PromptBeams> const& prompts,
                                                                    Tensor<Scalar>& logits,
                                                                    std::vector<LogitsProcessor> const& processors,
                                                                    std::size_t count) {
  struct RowBeam {
    PromptBeams const* prompt;
    Index beam;
  };
  std::vector<RowBeam> beams(static_cast<std::size_t>(logits.rows()));
  for (auto const& prompt : prompts)
    for (std::size_t b = 0; b < prompt.live().size(); ++b)
      beams[static_cast<std::size_t>(prompt.live()[b].row)] = {&prompt, static_cast<Index>(b)};
  auto const log_sums = log_sum_exp(logits);
  Index const vocabulary = logits.width();
  std::vector<std::vector<BeamCandidate>> result(beams.size());
  parallel_for(logits.rows(), [&](Index row) {
    auto const i = static_cast<std::size_t>(row);
    Scalar* const scores = logits.row(row);
    for (Index v = 0; v < vocabulary; ++v) scores[v] -= log_sums[i];
    auto const& beam = beams[i].prompt->live()[static_cast<std::size_t>(beams[i].beam)];
    Scores view(scores, vocabulary);
    for (auto const& process : processors) process(beams[i].prompt->history(beam), view);
    result[i] = best_continuations(scores, vocabulary, beam.score, beams[i].beam, count);
  });
  return result;
}

/// The same of what a session has found itself, where no processor changes anything.
template <class Scalar>
[[nodiscard]] std::vector<std::vector<BeamCandidate>> continuations(std::vector<PromptBeams> const& prompts,
                                                                    TopTokens<Scalar> const& top) {
  std::vector<std::vector<BeamCandidate>> result(static_cast<std::size_t>(top.rows()));
  for (auto const& prompt : prompts)
    for (std::size_t b = 0; b < prompt.live().size(); ++b) {
      auto const& beam = prompt.live()[b];
      auto& row = result[static_cast<std::size_t>(beam.row)];
      for (Index n = 0; n < top.count() && top.token(beam.row, n) >= 0; ++n)
        row.push_back({beam.score + static_cast<double>(top.logit(beam.row, n) - top.log_sum(beam.row)),
                       static_cast<Index>(b), top.token(beam.row, n)});
    }
  return result;
}

/// The `count` best over all beams of a prompt.
[[nodiscard]] inline std::vector<BeamCandidate> merged(PromptBeams const& prompt,
                                                       std::vector<std::vector<BeamCandidate>> const& by_row,
                                                       std::size_t count) {
  std::vector<BeamCandidate> all;
  for (auto const& beam : prompt.live()) {
    auto const& row = by_row[static_cast<std::size_t>(beam.row)];
    all.insert(all.end(), row.begin(), row.end());
  }
  std::sort(all.begin(), all.end());
  if (all.size() > count) all.resize(count);
  return all;
}

/// One beam is greedy search, its score divided as in beam search. In transformers, too,
/// processors change logits then, not log-probabilities.
template <DecodingSession Session>
[[nodiscard]] Generations decode_one_beam(Session& session, BeamSearch const& s) {
  Greedy const greedy{s.max_new_tokens, s.min_new_tokens, s.end_tokens,   s.repetition_penalty, s.no_repeat_ngram,
                      s.bad_words,      s.processors,     s.first_prompt, s.adapters,           {}};
  auto result = decode(session, greedy);
  for (auto& texts : result) texts[0].score /= std::pow(static_cast<double>(texts[0].tokens.size()), s.length_penalty);
  return result;
}

}  // namespace detail

/// Beam search in a decoding session: at each step the (1 + end tokens, at least 2) · beams best continuations of a
/// prompt's beams are looked at. Those that end a text are finished if they rank among the first `beams`; the first
/// `beams` others live on. Prompts do not affect each other: one that is done leaves the batch. A prompt can have fewer
/// texts than `sequences` where the processors leave too few.
template <DecodingSession Session>
[[nodiscard]] Generations decode(Session& session, BeamSearch const& settings) {
  detail::check(settings);
  if (settings.beams == 1) return detail::decode_one_beam(session, settings);
  auto const& prompts = session.prompts();
  if (prompts.empty()) return {};
  std::vector<detail::PromptBeams> states;
  for (std::size_t p = 0; p < prompts.size(); ++p) states.emplace_back(prompts[p], static_cast<Index>(p), settings);

  auto const processors = detail::processors_of(detail::limits_of(settings));
  auto const count = detail::PromptBeams::candidates(settings);
  // What the session gives to begin with, and after a step, is taken through every beam.
  auto const search = [&](auto given, auto const& by_row_of, auto const& advance) -> Generations {
    for (;;) {
      auto const by_row = by_row_of(given);
      std::vector<Index> parents;
      std::vector<Token> tokens;
      for (auto& state : states) {
        if (state.live().empty()) continue;
        state.advance(detail::merged(state, by_row, count));
        for (auto& beam : state.live()) {
          parents.push_back(std::exchange(beam.row, static_cast<Index>(parents.size())));
          tokens.push_back(beam.tokens.back());
        }
      }
      if (tokens.empty()) break;
      given = advance(parents, tokens);
    }
    Generations result;
    for (auto const& state : states) result.push_back(state.results());
    return result;
  };
  auto const rows = static_cast<Index>(prompts.size()), wanted = static_cast<Index>(count);
  if constexpr (TopTokenSession<Session>)
    if (processors.empty() && session.finds_top(wanted)) {
      auto top = detail::checked_top(session.start_top(wanted), rows);
      detail::check_end_tokens(settings.end_tokens, top.vocabulary());
      return search(
          std::move(top), [&](auto const& found) { return detail::continuations(states, found); },
          [&](auto const& parents, auto const& tokens) {
            return detail::checked_top(session.advance_top(parents, tokens, wanted), static_cast<Index>(tokens.size()));
          });
    }
  auto logits = detail::checked_logits(session.start(), rows);
  detail::check_end_tokens(settings.end_tokens, logits.width());
  return search(
      std::move(logits), [&](auto& found) { return detail::continuations(states, found, processors, count); },
      [&](auto const& parents, auto const& tokens) {
        return detail::checked_logits(session.advance(parents, tokens), static_cast<Index>(tokens.size()));
      });
}

}  // namespace graft
