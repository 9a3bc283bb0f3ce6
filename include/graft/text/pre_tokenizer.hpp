/// @file
/// @brief The steps that divide a text into words before a model divides the words into tokens.
#pragma once

#include <graft/text/split_pattern.hpp>
#include <graft/text/unicode_class.hpp>

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
  split_qwen2    ///< of Qwen 2
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

  /// Calls `word(std::string_view)` for each word of a well-formed text, in order. A view is valid during its call only.
  template <class Word>
  void for_each_word(std::string_view text, Word&& word) const {
    if (!text.empty()) apply(0, text, word);
  }

 private:
  template <class Word>
  void apply(std::size_t step, std::string_view piece, Word& word) const {
    if (step == steps_.size()) return word(piece);
    switch (steps_[step]) {
      case PreTokenizerStep::digits:
        return digits(step, piece, true, word);
      case PreTokenizerStep::digit_runs:
        return digits(step, piece, false, word);
      case PreTokenizerStep::prefix_space:
        return piece.front() == ' ' ? apply(step + 1, piece, word) : apply(step + 1, " " + std::string(piece), word);
      case PreTokenizerStep::split_gpt2:
        return split<SplitPattern::gpt2>(step, piece, word);
      case PreTokenizerStep::split_llama3:
        return split<SplitPattern::llama3>(step, piece, word);
      case PreTokenizerStep::split_qwen2:
        return split<SplitPattern::qwen2>(step, piece, word);
    }
  }

  template <SplitPattern pattern, class Word>
  void split(std::size_t step, std::string_view piece, Word& word) const {
    for (std::size_t at = 0; at < piece.size();) {
      std::size_t const end = match_end(pattern, piece, at);
      apply(step + 1, piece.substr(at, end - at), word);
      at = end;
    }
  }

  template <class Word>
  void digits(std::size_t step, std::string_view piece, bool individual, Word& word) const {
    std::size_t begin = 0;
    bool was_number = false;
    for (std::size_t at = 0; at < piece.size();) {
      ClassifiedChar const c = classified_at(piece, at);
      bool const number = c.kind == CharClass::number;
      if (at > begin && (number != was_number || (number && individual))) {
        apply(step + 1, piece.substr(begin, at - begin), word);
        begin = at;
      }
      was_number = number;
      at += c.bytes;
    }
    apply(step + 1, piece.substr(begin), word);
  }

  std::vector<PreTokenizerStep> steps_;
};

}  // namespace graft
