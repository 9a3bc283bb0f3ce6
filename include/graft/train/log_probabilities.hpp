/// @file
/// @brief How probable a model finds a text: ln p of each token after those before it, and their sum.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <graft/data/template.hpp>
#include <graft/models/row_limits.hpp>
#include <graft/tensor/device_copy.hpp>
#include <graft/text/tokenizer.hpp>
#include <graft/train/loss.hpp>

namespace graft {

/// What a model makes of one text. Natural logarithms.
struct LogProbabilities {
  std::vector<Token> tokens;  ///< those that have a probability: the targets, or all of a text but its first
  std::vector<double> each;   ///< `[tokens]`: ln p(token | all before it)
  double sum = 0;             ///< of `each`: ln p of the whole
};

/// ln p of every target token after the source and the targets before it, for each example. Nothing is recorded, and
/// dropout does not act. A pass takes the examples in their order, as many as `max_tokens` allows, which does not
/// change the numbers.
/// @param share_sources whether those of one pass share sources, such as the question of several possible answers: the
/// same numbers up to rounding, in less time
/// @throws ConfigError for an example that is too long for the model or has a token that it lacks, Error for one
/// without source or target
template <class Model>
[[nodiscard]] std::vector<LogProbabilities> log_probabilities(Model const& model,
                                                              std::vector<TokenizedExample> const& examples,
                                                              Index max_tokens = 2048, bool share_sources = false) {
  RowLimits const limits(model);
  for (std::size_t i = 0; i < examples.size(); ++i) {
    if (examples[i].source.empty() || examples[i].target.empty())
      fail("[log_probabilities] got an example (number ", i, ") without ",
           examples[i].source.empty() ? "source" : "target", " tokens; expected at least one of each");
    if (auto const why = limits.excess(examples[i]))
      fail<ConfigError>("[log_probabilities] example ", i, " is too long for the model; ", *why, "; hint: shorten it");
    if (auto const foreign = limits.foreign_token(examples[i]))
      fail<ConfigError>("[log_probabilities] example ", i, " ", *foreign);
  }
  NoGrad const no_grad;
  std::vector<LogProbabilities> results;
  for (std::size_t next = 0; next < examples.size();) {
    std::size_t const first = next;
    Batch const batch = next_pass(model, examples, next, max_tokens, share_sources);
    auto const scores = downloaded(model.scores(batch).log_probability.value());  // [targets]
    auto const* score = scores.data();
    for (std::size_t i = first; i < next; ++i) {
      LogProbabilities& result = results.emplace_back();
      result.tokens = examples[i].target;
      for (std::size_t k = 0; k < result.tokens.size(); ++k) {
        result.each.push_back(static_cast<double>(*score++));
        result.sum += result.each.back();
      }
    }
  }
  return results;
}

/// The same of one example.
template <class Model>
[[nodiscard]] LogProbabilities log_probabilities(Model const& model, TokenizedExample const& example) {
  return std::move(log_probabilities(model, std::vector<TokenizedExample>{example}).front());
}

/// ln p of `target` after `source`, both encoded as training encodes them (see `TemplateEncoder`): the end token is the
/// last target token, so the sum is the probability of this target and no longer one.
template <class Model>
[[nodiscard]] LogProbabilities log_probabilities(Model const& model, Tokenizer const& tokenizer,
                                                 std::string_view source, std::string_view target,
                                                 Template const& form = Template::of_model<Model>()) {
  TemplateEncoder const encoder(tokenizer, form);
  Truncation cut;
  return log_probabilities(
      model, encoder.encode(std::vector<Example>{{std::string(source), std::string(target), {}, {}}}, cut).front());
}

/// ln p of each token of a text, for a model that continues texts. Before it stand the special tokens that the
/// tokenizer's files put there. The first token of all has nothing before it, and so no probability.
/// @throws ConfigError for a text of a single token
template <class Model>
[[nodiscard]] LogProbabilities log_probabilities(Model const& model, Tokenizer const& tokenizer,
                                                 std::string_view text) {
  static_assert(!Model::has_encoder && !Model::classifies,
                "graft: a text alone has a probability in a model that continues texts; give others a source and a "
                "target");
  std::vector<Token> const tokens = encode_source(tokenizer, text, {.separator = ""});
  if (tokens.size() < 2)
    fail<ConfigError>("[log_probabilities] got a text of ", tokens.size(), tokens.size() == 1 ? " token" : " tokens",
                      "; expected at least 2, as the first has nothing before it");
  return log_probabilities(model, TokenizedExample{{tokens.front()}, {tokens.begin() + 1, tokens.end()}});
}

}  // namespace graft
