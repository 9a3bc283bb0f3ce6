/// @file
/// @brief Tokens that are found in the text itself, before any splitting: `<|endoftext|>` and the like.
#pragma once

#include <graft/core/types.hpp>
#include <graft/text/split_pattern.hpp>
#include <graft/text/unicode_class.hpp>
#include <graft/text/utf8.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace graft {

/// A token outside the model's own splitting, with the flags of Hugging Face's tokenizers.
struct AddedToken {
  std::string content;
  Token id = 0;
  bool special = false;      ///< left out by `decode(…, skip_special = true)`
  bool lstrip = false;       ///< takes the white space before it along
  bool rstrip = false;       ///< takes the white space after it along
  bool single_word = false;  ///< counts only where no word character touches it
  bool normalized = false;   ///< looked for in the normalized text rather than in the text as given
  bool in_text = true;       ///< looked for at all: SentencePiece itself never reads control pieces in text
};

/// Finds added tokens in a text, leftmost first and the longest where several begin together (an Aho-Corasick
/// automaton's leftmost-longest semantics), in time proportional to the text and the tokens' lengths, without memory
/// beyond the sorted contents.
class AddedTokenMatcher {
 public:
  AddedTokenMatcher() = default;

  /// `patterns` are texts to find and the number that stands for each; of equal texts the first counts.
  explicit AddedTokenMatcher(std::vector<std::pair<std::string, std::size_t>> patterns)
      : patterns_(std::move(patterns)) {
    auto const text_of = [](auto const& pattern) -> std::string const& { return pattern.first; };
    std::erase_if(patterns_, [&](auto const& p) { return p.first.empty(); });
    std::stable_sort(patterns_.begin(), patterns_.end(),
                     [&](auto const& a, auto const& b) { return text_of(a) < text_of(b); });
    patterns_.erase(std::unique(patterns_.begin(), patterns_.end(),
                                [&](auto const& a, auto const& b) { return text_of(a) == text_of(b); }),
                    patterns_.end());
    for (auto const& p : patterns_) begins_[static_cast<unsigned char>(p.first.front())] = true;
  }

  struct Match {
    std::size_t begin, end, number;
  };

  /// The first match that begins at or after byte `from`.
  [[nodiscard]] std::optional<Match> find(std::string_view text, std::size_t from) const noexcept {
    if (patterns_.empty()) return std::nullopt;
    for (std::size_t at = from; at < text.size(); ++at) {
      if (!begins_[static_cast<unsigned char>(text[at])]) continue;
      if (auto const match = longest_at(text, at)) return match;
    }
    return std::nullopt;
  }

 private:
  /// Narrows the range of patterns that agree with the text, byte by byte.
  [[nodiscard]] std::optional<Match> longest_at(std::string_view text, std::size_t at) const noexcept {
    auto low = patterns_.begin(), high = patterns_.end();
    std::optional<Match> best;
    for (std::size_t depth = 0; at + depth < text.size(); ++depth) {
      auto const byte = static_cast<unsigned char>(text[at + depth]);
      auto const at_depth = [&](auto const& p) { return static_cast<unsigned char>(p.first[depth]); };
      low =
          std::partition_point(low, high, [&](auto const& p) { return p.first.size() <= depth || at_depth(p) < byte; });
      high = std::partition_point(low, high, [&](auto const& p) { return at_depth(p) <= byte; });
      if (low == high) break;
      if (low->first.size() == depth + 1) best = Match{at, at + depth + 1, low->second};
    }
    return best;
  }

  std::vector<std::pair<std::string, std::size_t>> patterns_;
  std::array<bool, 256> begins_{};
};

namespace detail {

[[nodiscard]] inline bool stands_alone(std::string_view text, std::size_t begin, std::size_t end) noexcept {
  return (begin == 0 || !is_word_char(utf8_before(text, begin).code)) &&
         (end == text.size() || !is_word_char(utf8_at(text, end).code));
}

}  // namespace detail

/// Cuts a well-formed text at its added tokens: calls `text_piece(std::string_view)` for what lies between and
/// `token(number)` for each token found, in order. `tokens[number]` holds the flags of the matcher's pattern `number`.
template <class TextPiece, class TokenFound>
void split_at_added_tokens(std::string_view text, AddedTokenMatcher const& matcher,
                           std::vector<AddedToken> const& tokens, TextPiece&& text_piece, TokenFound&& token) {
  std::size_t done = 0, from = 0;
  while (auto const match = matcher.find(text, from)) {
    from = match->end;
    if (match->end <= done) continue;  // inside white space that the token before has taken
    AddedToken const& found = tokens[match->number];
    if (found.single_word && !detail::stands_alone(text, match->begin, match->end)) continue;
    std::size_t begin = std::max(match->begin, done), end = match->end;
    if (found.lstrip) {
      while (begin > done && char_class(detail::utf8_before(text, begin).code) == CharClass::space)
        begin -= detail::utf8_before(text, begin).bytes;
    }
    if (found.rstrip) end = detail::run_end(text, end, CharClass::space);
    if (begin > done) text_piece(text.substr(done, begin - done));
    token(match->number);
    done = std::max(done, end);
  }
  if (done < text.size()) text_piece(text.substr(done));
}

}  // namespace graft
