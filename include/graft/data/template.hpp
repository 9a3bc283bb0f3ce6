/// @file
/// @brief How the two texts of an example become tokens: the same for training and generation.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <graft/core/error.hpp>
#include <graft/core/thread_pool.hpp>
#include <graft/core/types.hpp>
#include <graft/data/example.hpp>
#include <graft/nn/rows.hpp>

namespace graft {

/// What stands around source and target: the model reads `source + separator` and learns to write `target_prefix + target` and the end token.
/// Separator and end token tell it where the text begins and ends, so both belong in training and in generation alike.
struct Template {
  std::string separator = " ->";
  std::string target_prefix = " ";
  std::optional<Token> end_token = std::nullopt;  ///< none: the tokenizer's own
  bool begin_token = false;        ///< whether the tokenizer's beginning token comes first, as LLaMA's checkpoints expect
};

/// What maximum lengths cut off.
struct Truncation {
  Index sources = 0, targets = 0;                ///< examples that lost some of it
  Index source_tokens = 0, target_tokens = 0;    ///< tokens lost
  [[nodiscard]] bool any() const { return sources + targets > 0; }
};

/// Longest source and target in tokens; 0 for no limit.
struct LengthLimits {
  Index source = 0, target = 0;
};

/// Shortens the longer of the examples. A source loses the tokens before its last `kept_end` (the separator, which the model must see); a target loses
/// its end, the end token with it: the text does not end there.
/// @throws ConfigError for a limit that leaves nothing of the source
inline Truncation limit_lengths(std::vector<TokenizedExample>& examples, LengthLimits limits, Index kept_end = 1) {
  if (limits.source < 0 || limits.target < 0 || (limits.source > 0 && limits.source <= kept_end))
    fail<ConfigError>("[limit_lengths] got maximum lengths ", limits.source, " (source) and ", limits.target, " (target); expected 0 for none, or a source of more than the ",
                      kept_end, " tokens of the separator");
  Truncation cut;
  for (auto& example : examples) {
    auto& source = example.source;
    if (Index const excess = static_cast<Index>(source.size()) - limits.source; limits.source > 0 && excess > 0) {
      source.erase(source.end() - kept_end - excess, source.end() - kept_end);
      ++cut.sources;
      cut.source_tokens += excess;
    }
    if (Index const excess = static_cast<Index>(example.target.size()) - limits.target; limits.target > 0 && excess > 0) {
      example.target.resize(static_cast<std::size_t>(limits.target));
      ++cut.targets;
      cut.target_tokens += excess;
    }
  }
  return cut;
}

/// Encodes the two sides of examples. `Tokenizer` has `encode(text)` and `special_tokens()`; it is only referred to.
template <class Tokenizer>
class TemplateEncoder {
 public:
  /// @throws ConfigError if the template wants a token that the tokenizer lacks
  TemplateEncoder(Tokenizer const& tokenizer, Template form, LengthLimits limits = {}) : tokenizer_(tokenizer), form_(std::move(form)), limits_(limits) {
    auto const special = tokenizer.special_tokens();
    if (!form_.end_token) form_.end_token = special.eos;
    if (!form_.end_token) fail<ConfigError>("[template] the tokenizer has no end token; expected one; hint: set Template::end_token");
    if (form_.begin_token && !special.bos) fail<ConfigError>("[template] the tokenizer has no beginning token; expected one; hint: set Template::begin_token to false");
    separator_tokens_ = static_cast<Index>(tokenizer.encode(form_.separator).size());
  }

  /// The prompt of a source: what the model reads before it writes. Cut like the sources in training.
  [[nodiscard]] std::vector<Token> source(std::string_view text) const {
    std::vector<TokenizedExample> one{{uncut_source(text), {}, 0}};
    limit_lengths(one, {limits_.source, 0}, kept_end());
    return std::move(one.front().source);
  }
  [[nodiscard]] Token end_token() const { return *form_.end_token; }
  /// Tokens at the end of a source that cutting leaves.
  [[nodiscard]] Index kept_end() const { return std::max<Index>(1, separator_tokens_); }

  /// All examples; their ids are their indices. What is cut is added to `cut`.
  [[nodiscard]] std::vector<TokenizedExample> encode(std::vector<Example> const& examples, Truncation& cut) const {
    std::vector<TokenizedExample> encoded(examples.size());
    parallel_chunks(static_cast<Index>(examples.size()), 64, [&](Index first, Index last) {
      for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(last); ++i) {
        encoded[i] = {uncut_source(examples[i].source), tokenizer_.encode(form_.target_prefix + examples[i].target), i};
        encoded[i].target.push_back(*form_.end_token);
      }
    });
    Truncation const now = limit_lengths(encoded, limits_, kept_end());
    cut.sources += now.sources, cut.targets += now.targets;
    cut.source_tokens += now.source_tokens, cut.target_tokens += now.target_tokens;
    return encoded;
  }

 private:
  [[nodiscard]] std::vector<Token> uncut_source(std::string_view text) const {
    std::vector<Token> tokens = tokenizer_.encode(std::string(text) + form_.separator);
    if (form_.begin_token) tokens.insert(tokens.begin(), *tokenizer_.special_tokens().bos);
    return tokens;
  }

  Tokenizer const& tokenizer_;
  Template form_;
  LengthLimits limits_;
  Index separator_tokens_ = 0;
};

}  // namespace graft
