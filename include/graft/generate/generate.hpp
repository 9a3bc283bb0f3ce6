/// @file
/// @brief `generate(model, prompts, settings)`: token ids in, token ids out.
#pragma once

#include <algorithm>
#include <concepts>
#include <utility>
#include <vector>

#include <graft/generate/beam_search.hpp>
#include <graft/generate/model_session.hpp>
#include <graft/generate/sampling.hpp>
#include <graft/models/config.hpp>
#include <graft/models/row_limits.hpp>

namespace graft {

template <class Settings>
concept GenerationSettings =
    std::same_as<Settings, Greedy> || std::same_as<Settings, Sampling> || std::same_as<Settings, BeamSearch>;

namespace detail {

[[nodiscard]] inline Index texts_per_prompt(Greedy const&) { return 1; }
[[nodiscard]] inline Index texts_per_prompt(Sampling const& settings) { return settings.sequences; }
[[nodiscard]] inline Index texts_per_prompt(BeamSearch const& settings) { return settings.beams; }

/// Refuses prompts that, with their new tokens, would outgrow the model, before anything is computed.
template <class Model>
void check_prompts(Model const& model, std::vector<std::vector<Token>> const& prompts, Limits const& limits) {
  RowLimits const row_limits(model);
  if (!limits.adapters.empty() && limits.adapters.size() != prompts.size())
    fail<ConfigError>("[generate] got adapters of ", limits.adapters.size(), " prompts; expected ", prompts.size(),
                      ", or none for 0 in all");
  for (std::size_t p = 0; p < prompts.size(); ++p) {
    Index const number = limits.first_prompt + static_cast<Index>(p) + 1;
    if (prompts[p].empty())
      fail<ConfigError>("[generate] prompt ", number, " is empty; expected at least one token; hint: a start token");
    Index const adapter = limits.adapters.empty() ? 0 : limits.adapters[p];
    if (!model.has_adapter(adapter))
      fail<ConfigError>("[generate] prompt ", number, " names adapter ", adapter,
                        "; expected one of the table, or −1 for none");
    if (auto const why = row_limits.excess(prompts[p], limits.max_new_tokens, "max_new_tokens", adapter))
      fail<ConfigError>("[generate] prompt ", number, ": ", *why, "; hint: shorten the prompt or lower max_new_tokens");
    if (auto const foreign = row_limits.foreign_token(prompts[p]))
      fail<ConfigError>("[generate] prompt ", number, " ", *foreign);
  }
}

/// The processors of the tokens that a configuration forces. As in transformers, the first token
/// is forced after a single one, such as a decoder's start token.
[[nodiscard]] inline std::vector<LogitsProcessor> forced_tokens(ModelConfig const& config, Index max_new_tokens) {
  std::vector<LogitsProcessor> chain;
  if (config.forced_bos >= 0)
    chain.push_back([force = force_first(config.forced_bos)](History const& history, Scores& scores) {
      if (history.tokens.size() == 1) force(history, scores);
    });
  if (config.forced_eos >= 0) chain.push_back(force_last(config.forced_eos, max_new_tokens));
  return chain;
}

}  // namespace detail

/// Generates after every prompt (token ids, of any lengths) with the model and its adaptation: `[prompts][texts]`. In a
/// model with an encoder the prompts are the sources that the encoder reads. The first and last tokens that the model's
/// configuration forces are forced, before the settings' own processors. Prompts are taken so many at a time that at
/// most `texts_at_once` texts are written together (at least one prompt); the texts do not depend on it, the scores but
/// for their last digits. The model is read alone: several threads may generate with one.
/// @throws ConfigError for impossible settings, an empty prompt, one with a token outside the vocabulary, or one that
/// leaves too few positions for max_new_tokens; NumericError for logits that are not finite. Messages count prompts
/// from 1.
template <class Model, GenerationSettings Settings>
[[nodiscard]] Generations generate(Model const& model, std::vector<std::vector<Token>> const& prompts,
                                   Settings settings, Index texts_at_once = 32) {
  detail::check(settings);
  static_assert(!requires { requires Model::classifies; }, "graft: a classifier has no text to generate; use logits()");
  detail::check_prompts(model, prompts, detail::limits_of(settings));
  auto const forced = detail::forced_tokens(model.config(), settings.max_new_tokens);
  settings.processors.insert(settings.processors.begin(), forced.begin(), forced.end());
  Index const texts = detail::texts_per_prompt(settings), step = std::max<Index>(1, texts_at_once / texts),
              count = static_cast<Index>(prompts.size());
  Index const first_prompt = settings.first_prompt;
  std::vector<Index> const adapters = std::move(settings.adapters);
  settings.adapters.clear();
  auto const some = [](std::vector<Index> const& all, Index from, Index to) {
    return all.empty() ? all : std::vector<Index>(all.begin() + from, all.begin() + to);
  };
  Generations result;
  for (Index first = 0; first < count; first += step) {
    Index const last = std::min(count, first + step);
    ModelSession<Model> session(model, {prompts.begin() + first, prompts.begin() + last}, (last - first) * texts,
                                std::min<Index>(settings.max_new_tokens, 64), some(adapters, first, last));
    AnySession<typename Model::scalar_type> any(session);
    settings.first_prompt = first_prompt + first;
    for (auto& one : decode(any, settings)) result.push_back(std::move(one));
  }
  return result;
}

}  // namespace graft
