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
#include <graft/core/warning.hpp>
#include <graft/data/example.hpp>
#include <graft/nn/rows.hpp>
#include <graft/text/text_template.hpp>

namespace graft {

/// What stands around source and target: the model reads `source + separator` and learns to write `target_prefix +
/// target` and the end token. Separator and end token tell it where the text begins and ends, so both belong in
/// training and in generation alike.
struct Template {
  std::string separator = " ->";
  std::string target_prefix = " ";
  std::optional<Token> end_token = std::nullopt;  ///< none: the tokenizer's own
  /// whether the tokenizer's beginning token comes first even where its files put none there; it is never there twice
  bool begin_token = false;
  bool special_tokens = true;  ///< whether special tokens that the tokenizer's files put around a text stand here too
  /// whether source and target are two texts, of an encoder and a decoder; else the target continues the source
  bool apart = false;

  /// What an encoder–decoder reads and writes by default: both texts as they are, in the tokenizer's special tokens.
  [[nodiscard]] static Template of_pairs() { return {.separator = "", .target_prefix = "", .apart = true}; }
  /// The default of a type of model.
  template <class Model>
  [[nodiscard]] static Template of_model() {
    if constexpr (requires { requires Model::has_encoder; })
      return of_pairs();
    else
      return {};
  }
};

/// The special tokens that stand before and behind one text.
struct SurroundingTokens {
  std::vector<Token> before, behind;
};

/// What a tokenizer's files put around a text (`text_template`), as far as the template wants it, and the template's
/// beginning token.
template <class Tokenizer>
[[nodiscard]] SurroundingTokens surrounding_tokens(Tokenizer const& tokenizer, Template const& form) {
  SurroundingTokens around;
  if constexpr (requires { tokenizer.text_template().single(); })
    if (bool behind = false; form.special_tokens)
      for (TextTemplate::Part const& part : tokenizer.text_template().single()) {
        bool const special = part.kind == TextTemplate::Part::Kind::special;
        if (special) (behind ? around.behind : around.before).push_back(part.id);
        behind = behind || !special;
      }
  if (auto const begin = tokenizer.special_tokens().bos;
      form.begin_token && begin && (around.before.empty() || around.before.front() != *begin))
    around.before.insert(around.before.begin(), *begin);
  return around;
}

/// The ids of a text that continues another: without a space that the tokenizer puts
/// before a text (SentencePiece), where it can tell the two.
template <class Tokenizer>
[[nodiscard]] std::vector<Token> encode_continuation(Tokenizer const& tokenizer, std::string_view text) {
  if constexpr (requires { tokenizer.encode_part(text, false); })
    return tokenizer.encode_part(text, false);
  else
    return tokenizer.encode(text);
}

/// What a model reads: `text` and the separator, in special tokens. Those behind it are left out where the target
/// continues it.
template <class Tokenizer>
[[nodiscard]] std::vector<Token> encode_source(Tokenizer const& tokenizer, std::string_view text,
                                               Template const& form) {
  auto const [before, behind] = surrounding_tokens(tokenizer, form);
  std::vector<Token> tokens = tokenizer.encode(std::string(text) + form.separator);
  tokens.insert(tokens.begin(), before.begin(), before.end());
  if (form.apart) tokens.insert(tokens.end(), behind.begin(), behind.end());
  return tokens;
}

/// What a model is to write: the prefix, `text` and one end token. A text apart has its special
/// tokens too, as transformers' `text_target` gives them.
template <class Tokenizer>
[[nodiscard]] std::vector<Token> encode_target(Tokenizer const& tokenizer, std::string_view text, Template const& form,
                                               Token end) {
  std::string const whole = form.target_prefix + std::string(text);
  std::vector<Token> tokens = form.apart ? tokenizer.encode(whole) : encode_continuation(tokenizer, whole);
  if (form.apart) {
    Template own = form;
    own.begin_token = false;
    auto const [before, behind] = surrounding_tokens(tokenizer, own);
    tokens.insert(tokens.begin(), before.begin(), before.end());
    tokens.insert(tokens.end(), behind.begin(), behind.end());
    if (!behind.empty() && behind.back() == end) return tokens;
  }
  tokens.push_back(end);
  return tokens;
}

/// What maximum lengths cut off.
struct Truncation {
  Index sources = 0, targets = 0;              ///< examples that lost some of it
  Index source_tokens = 0, target_tokens = 0;  ///< tokens lost
  [[nodiscard]] bool any() const { return sources + targets > 0; }
  void add(Truncation const& other) {
    sources += other.sources, targets += other.targets;
    source_tokens += other.source_tokens, target_tokens += other.target_tokens;
  }
};

/// Longest source and target in tokens; 0 for no limit.
struct LengthLimits {
  Index source = 0, target = 0;
};

/// Shortens the longer of the examples. A source loses the tokens before its last `kept_end`
/// (the separator, which the model must see) and never its first
/// `kept_begin` (the special tokens); a target loses its end, the end token with it: the text does not end there.
/// @throws ConfigError for a limit that leaves nothing of the source
inline Truncation limit_lengths(std::vector<TokenizedExample>& examples, LengthLimits limits, Index kept_end = 1,
                                Index kept_begin = 0) {
  if (limits.source < 0 || limits.target < 0 || (limits.source > 0 && limits.source <= kept_end + kept_begin))
    fail<ConfigError>("[limit_lengths] got maximum lengths ", limits.source, " (source) and ", limits.target,
                      " (target); expected 0 for none, or a source of more than the ", kept_end + kept_begin,
                      " tokens of the separator and around the text");
  Truncation cut;
  for (auto& example : examples) {
    auto& source = example.source;
    if (Index const excess = static_cast<Index>(source.size()) - limits.source; limits.source > 0 && excess > 0) {
      source.erase(source.end() - kept_end - excess, source.end() - kept_end);
      ++cut.sources;
      cut.source_tokens += excess;
    }
    if (Index const excess = static_cast<Index>(example.target.size()) - limits.target;
        limits.target > 0 && excess > 0) {
      example.target.resize(static_cast<std::size_t>(limits.target));
      ++cut.targets;
      cut.target_tokens += excess;
    }
  }
  return cut;
}

/// Encodes the two sides of examples. `Tokenizer` has `encode(text)` and `special_tokens()`, and `encode_part` and
/// `text_template` where it puts spaces and special tokens of its own around a text; it is only referred to.
template <class Tokenizer>
class TemplateEncoder {
 public:
  /// @param sources_only whether no target is ever encoded: then no end token is needed
  /// @throws ConfigError if the template wants a token that the tokenizer lacks
  TemplateEncoder(Tokenizer const& tokenizer, Template form, LengthLimits limits = {}, bool sources_only = false)
      : tokenizer_(tokenizer), form_(std::move(form)), limits_(limits) {
    auto const special = tokenizer.special_tokens();
    if (!form_.end_token) form_.end_token = special.eos;
    if (!form_.end_token && !sources_only)
      fail<ConfigError>(
          "[template] the tokenizer has no end token; expected one; hint: name it in the model's files (eos_token in ",
          "tokenizer_config.json, tokenizer.ggml.eos_token_id in a GGUF file), or in Template::end_token");
    if (form_.begin_token && !special.bos)
      fail<ConfigError>(
          "[template] the tokenizer has no beginning token; expected one; hint: name it in the model's files "
          "(bos_token in ",
          "tokenizer_config.json), or ask for none (--begin-token, Template::begin_token)");
    auto const around = surrounding_tokens(tokenizer, form_);
    if (!form_.apart && !around.behind.empty())
      warn("[template] the tokenizer puts ", around.behind.size(),
           " special tokens behind a text; they are left out behind a source, which the target continues");
    kept_begin_ = static_cast<Index>(around.before.size());
    kept_end_ = static_cast<Index>(encode_continuation(tokenizer, form_.separator).size() +
                                   (form_.apart ? around.behind.size() : 0));
  }

  /// The prompt of a source: what the model reads before it writes. Cut like the sources in training.
  [[nodiscard]] std::vector<Token> source(std::string_view text) const {
    Truncation unsaid;
    return source(text, unsaid);
  }
  /// The same; what is cut is added to `cut`.
  [[nodiscard]] std::vector<Token> source(std::string_view text, Truncation& cut) const {
    std::vector<TokenizedExample> one{{encode_source(tokenizer_, text, form_), {}, 0}};
    cut.add(limit_lengths(one, {limits_.source, 0}, kept_end(), kept_begin_));
    return std::move(one.front().source);
  }
  /// @throws ConfigError where there is none, of an encoder of sources only
  [[nodiscard]] Token end_token() const {
    if (!form_.end_token)
      fail<ConfigError>("[template] the tokenizer has no end token; expected one behind every target");
    return *form_.end_token;
  }
  [[nodiscard]] Template const& form() const { return form_; }
  /// Tokens at the end of a source that cutting leaves.
  [[nodiscard]] Index kept_end() const { return std::max<Index>(1, kept_end_); }

  /// All examples; their ids are their indices. What is cut is added to `cut`.
  [[nodiscard]] std::vector<TokenizedExample> encode(std::vector<Example> const& examples, Truncation& cut) const {
    std::vector<TokenizedExample> encoded(examples.size());
    Token const end = end_token();
    parallel_chunks(static_cast<Index>(examples.size()), 64, [&](Index first, Index last) {
      for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(last); ++i)
        encoded[i] = {encode_source(tokenizer_, examples[i].source, form_),
                      encode_target(tokenizer_, examples[i].target, form_, end), i};
    });
    cut.add(limit_lengths(encoded, limits_, kept_end(), kept_begin_));
    return encoded;
  }

 private:
  Tokenizer const& tokenizer_;
  Template form_;
  LengthLimits limits_;
  Index kept_begin_ = 0, kept_end_ = 0;
};

}  // namespace graft
