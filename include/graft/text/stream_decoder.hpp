/// @file
/// @brief Decoding while tokens are still being generated.
#pragma once

#include <graft/core/types.hpp>
#include <graft/text/decoding_state.hpp>
#include <graft/text/tokenizer.hpp>
#include <graft/text/utf8.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace graft {

/// Decodes one token at a time and holds back bytes that may still become a character: all that `push` and `finish`
/// return, put together, is `tokenizer.decode` of all the tokens.
class StreamDecoder {
 public:
  explicit StreamDecoder(Tokenizer tokenizer, bool skip_special = false)
      : tokenizer_(std::move(tokenizer)), state_(tokenizer_.begin_decoding()), skip_special_(skip_special) {}

  /// The text that `token` completes; often empty inside a character of several bytes.
  [[nodiscard]] std::string push(Token token) {
    auto const shown = tokenizer_.shown_token(token, skip_special_);
    if (!shown) return {};
    state_.push(*shown, pending_);
    std::size_t const complete = complete_bytes(pending_);
    std::string text = replace_invalid_utf8(std::string_view(pending_).substr(0, complete));
    pending_.erase(0, complete);
    return text;
  }

  /// What is left at the end: U+FFFD if a character was never completed.
  [[nodiscard]] std::string finish() {
    state_.finish(pending_);
    return replace_invalid_utf8(std::exchange(pending_, {}));
  }

 private:
  /// How many bytes are settled, whatever follows: all but a character that the text ends inside.
  [[nodiscard]] static std::size_t complete_bytes(std::string_view bytes) noexcept {
    for (std::size_t back = 1; back <= 3 && back <= bytes.size(); ++back) {
      std::size_t const begin = bytes.size() - back;
      Utf8Char const last = utf8_at(bytes, begin);
      if (last.state == Utf8State::truncated && begin + last.bytes == bytes.size()) return begin;
    }
    return bytes.size();
  }

  Tokenizer tokenizer_;
  DecodingState state_;  ///< refers to the decoder in the data that all copies of the tokenizer share
  std::string pending_;
  bool skip_special_ = false;
};

}  // namespace graft
