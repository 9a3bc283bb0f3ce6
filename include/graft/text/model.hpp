/// @file
/// @brief What every kind of tokenizer model does: words to token ids.
#pragma once

#include <graft/core/types.hpp>
#include <graft/text/vocabulary.hpp>

#include <optional>
#include <string_view>
#include <vector>

namespace graft {

/// The model of a tokenizer: it divides one word, as the pre-tokenizer gives it, into tokens. Immutable once built, so
/// that any number of threads may use it.
class TokenizerModel {
 public:
  virtual ~TokenizerModel() = default;

  /// Appends the tokens of `word` (UTF-8).
  virtual void encode_word(std::string_view word, std::vector<Token>& out) const = 0;

  [[nodiscard]] virtual Vocabulary const& vocabulary() const noexcept = 0;

  /// The token for what the vocabulary cannot spell, if there is one.
  [[nodiscard]] virtual std::optional<Token> unknown() const noexcept = 0;
};

}  // namespace graft
