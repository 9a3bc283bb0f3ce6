/// @file
/// @brief The steps that divide a text into words before a model divides the words into tokens.
#pragma once

#include <graft/text/metaspace.hpp>
#include <graft/text/old_unicode.hpp>
#include <graft/text/split_pattern.hpp>
#include <graft/text/text_place.hpp>
#include <graft/text/unicode_class.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace graft {

/// One step; each is applied to every piece that the step before it made.
enum class PreTokenizerStep : std::uint8_t {
  digits,        ///< every numeric character by itself: `Digits(individual_digits=true)`
  digit_runs,    ///< runs of numeric characters: `Digits(individual_digits=false)`
  prefix_space,  ///< a space before each piece that begins without one: `ByteLevel(add_prefix_space=true)`
  split_gpt2,    ///< the regular expression of GPT-2
  split_llama3,  ///< of Llama 3
  split_qwen2,   ///< of Qwen 2

  whitespace,              ///< the words between white space, which vanishes: `WhitespaceSplit`
  bert,                    ///< likewise, and every punctuation character by itself: `BertPreTokenizer`
  metaspaces,              ///< spaces become `▁`: the first of the three steps of `Metaspace`
  metaspace_prefix,        ///< `▁` before each piece that begins without one
  metaspace_prefix_first,  ///< likewise, if the text begins with the piece
  split_metaspace          ///< a word begins at each `▁`
};

/// The step that splits by `pattern`.
[[nodiscard]] constexpr PreTokenizerStep split_step(SplitPattern pattern) noexcept {
  return pattern == SplitPattern::gpt2     ? PreTokenizerStep::split_gpt2
         : pattern == SplitPattern::llama3 ? PreTokenizerStep::split_llama3
                                           : PreTokenizerStep::split_qwen2;
}

/// A chain of steps; without any, a text is one word.
class PreTokenizer {
 public:
  PreTokenizer() = default;
  explicit PreTokenizer(std::vector<PreTokenizerStep> steps) : steps_(std::move(steps)) {}

  [[nodiscard]] std::vector<PreTokenizerStep> const& steps() const noexcept { return steps_; }

  /// Calls `word(std::string_view)` for each word of a well-formed text, in order. A view is valid during its call
  /// only.
  template <class Word>
  void for_each_word(std::string_view text, Word&& word, TextPlace place = TextPlace::begins) const {
    if (!text.empty()) apply(0, {text, place}, word);
  }

  /// Whether a text that begins gets a space of its own which a text that continues another does not.
  [[nodiscard]] bool puts_space_before() const noexcept {
    return std::any_of(steps_.begin(), steps_.end(), [](PreTokenizerStep step) {
      return step == PreTokenizerStep::prefix_space || step == PreTokenizerStep::metaspace_prefix ||
             step == PreTokenizerStep::metaspace_prefix_first;
    });
  }

 private:
  struct Piece {
    std::string_view text;
    TextPlace place;

    /// A part of it, which is inside if anything of the text is before it.
    [[nodiscard]] Piece part(std::size_t begin, std::size_t end) const noexcept {
      return {text.substr(begin, end - begin), begin == 0 ? place : TextPlace::inside};
    }
  };

  template <class Word>
  void apply(std::size_t step, Piece piece, Word& word) const {
    if (step == steps_.size()) return word(piece.text);
    switch (steps_[step]) {
      case PreTokenizerStep::digits: return digits(step, piece, true, word);
      case PreTokenizerStep::digit_runs: return digits(step, piece, false, word);
      case PreTokenizerStep::prefix_space: return prefix(step, piece, " ", word);
      case PreTokenizerStep::split_gpt2: return split<SplitPattern::gpt2>(step, piece, word);
      case PreTokenizerStep::split_llama3: return split<SplitPattern::llama3>(step, piece, word);
      case PreTokenizerStep::split_qwen2: return split<SplitPattern::qwen2>(step, piece, word);
      case PreTokenizerStep::whitespace: return words<false>(step, piece, word);
      case PreTokenizerStep::bert: return words<true>(step, piece, word);
      case PreTokenizerStep::metaspaces: return replace_spaces(step, piece, word);
      case PreTokenizerStep::metaspace_prefix: return prefix(step, piece, metaspace, word);
      case PreTokenizerStep::metaspace_prefix_first:
        return piece.place == TextPlace::inside ? apply(step + 1, piece, word) : prefix(step, piece, metaspace, word);
      case PreTokenizerStep::split_metaspace: return split_at_metaspaces(step, piece, word);
    }
  }

  template <class Word>
  void prefix(std::size_t step, Piece piece, std::string_view before, Word& word) const {
    if (piece.place == TextPlace::continues || piece.text.starts_with(before)) return apply(step + 1, piece, word);
    apply(step + 1, {std::string(before).append(piece.text), piece.place}, word);
  }

  template <class Word>
  void replace_spaces(std::size_t step, Piece piece, Word& word) const {
    if (piece.text.find(' ') == std::string_view::npos) return apply(step + 1, piece, word);
    std::string text;
    text.reserve(piece.text.size() + piece.text.size() / 2);
    for (char const c : piece.text) c == ' ' ? text.append(metaspace) : text.append(1, c);
    apply(step + 1, {text, piece.place}, word);
  }

  template <class Word>
  void split_at_metaspaces(std::size_t step, Piece piece, Word& word) const {
    for (std::size_t begin = 0; begin < piece.text.size();) {
      std::size_t const end = std::min(piece.text.find(metaspace, begin + 1), piece.text.size());
      apply(step + 1, piece.part(begin, end), word);
      begin = end;
    }
  }

  template <bool punctuation, class Word>
  void words(std::size_t step, Piece piece, Word& word) const {
    std::size_t begin = 0;
    auto const end_at = [&](std::size_t end, std::size_t next) {
      if (end > begin) apply(step + 1, piece.part(begin, end), word);
      begin = next;
    };
    for (std::size_t at = 0; at < piece.text.size();) {
      ClassifiedChar const c = classified_at(piece.text, at);
      std::size_t const next = at + c.bytes;
      if (c.kind == CharClass::space) {
        end_at(at, next);
      } else if (punctuation && detail::is_bert_punctuation(c.code)) {
        end_at(at, at);
        end_at(next, next);
      }
      at = next;
    }
    end_at(piece.text.size(), piece.text.size());
  }

  template <SplitPattern pattern, class Word>
  void split(std::size_t step, Piece piece, Word& word) const {
    for (std::size_t at = 0; at < piece.text.size();) {
      std::size_t const end = match_end(pattern, piece.text, at);
      apply(step + 1, piece.part(at, end), word);
      at = end;
    }
  }

  template <class Word>
  void digits(std::size_t step, Piece piece, bool individual, Word& word) const {
    std::size_t begin = 0;
    bool was_number = false;
    for (std::size_t at = 0; at < piece.text.size();) {
      ClassifiedChar const c = classified_at(piece.text, at);
      bool const number = c.kind == CharClass::number;
      if (at > begin && (number != was_number || (number && individual))) {
        apply(step + 1, piece.part(begin, at), word);
        begin = at;
      }
      was_number = number;
      at += c.bytes;
    }
    apply(step + 1, piece.part(begin, piece.text.size()), word);
  }

  std::vector<PreTokenizerStep> steps_;
};

}  // namespace graft
