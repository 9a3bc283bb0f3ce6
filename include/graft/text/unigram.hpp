/// @file
/// @brief The unigram language model of SentencePiece: of all ways to divide a text into pieces the most probable one.
#pragma once

#include <graft/core/error.hpp>
#include <graft/core/types.hpp>
#include <graft/text/byte_pieces.hpp>
#include <graft/text/model.hpp>
#include <graft/text/piece_trie.hpp>
#include <graft/text/piece_type.hpp>
#include <graft/text/utf8.hpp>
#include <graft/text/vocabulary.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace graft {

/// Whose arithmetic decides between ways of nearly equal probability.
enum class UnigramRule : std::uint8_t {
  sentencepiece,  ///< sums in single precision; only normal and user-defined pieces are found in text
  hugging_face    ///< sums in double precision; every piece is found in text
};

/// What makes a unigram model.
struct UnigramFields {
  Vocabulary vocabulary;         ///< ids from 0 on without gaps
  std::vector<double> scores;    ///< of each id: its logarithmic probability
  std::vector<PieceType> types;  ///< of each id; empty: all normal
  std::optional<Token> unknown;  ///< stands for characters without a piece; a run of them is one token
  bool byte_fallback = false;    ///< such characters are spelled in bytes instead
  UnigramRule rule = UnigramRule::hugging_face;
  std::string source = "tokenizer";  ///< name of the file, for errors
};

/// Kudo 2018, "Subword Regularization", section 3: the Viterbi path, in time proportional to the text and the longest
/// piece.
class Unigram final : public TokenizerModel {
 public:
  /// @throws FileError for scores that are missing or not finite, or an unknown token outside the vocabulary
  explicit Unigram(UnigramFields fields) : fields_(std::move(fields)) {
    auto const size = static_cast<std::size_t>(fields_.vocabulary.size());
    if (fields_.scores.size() != size || (!fields_.types.empty() && fields_.types.size() != size)) {
      fail<FileError>("[", fields_.source, "] scores, types and pieces disagree; got ", fields_.scores.size(), ", ",
                      fields_.types.size(), " and ", size);
    }
    if (fields_.unknown && (*fields_.unknown < 0 || *fields_.unknown >= fields_.vocabulary.size()))
      fail<FileError>("[", fields_.source, "] unknown token is out of range; got id ", *fields_.unknown,
                      "; expected one below ", size);
    check_scores();
    std::vector<Token> findable;
    for (Token id = 0; id < fields_.vocabulary.size(); ++id)
      if (type_of(id) == PieceType::normal || type_of(id) == PieceType::user_defined) findable.push_back(id);
    trie_ = PieceTrie(fields_.vocabulary, std::move(findable), fields_.source);
    if (fields_.byte_fallback) bytes_ = BytePieces(fields_.vocabulary);
  }

  void encode_word(std::string_view word, std::vector<Token>& out) const override {
    fields_.rule == UnigramRule::sentencepiece ? divide<float>(word, out) : divide<double>(word, out);
  }

  [[nodiscard]] Vocabulary const& vocabulary() const noexcept override { return fields_.vocabulary; }
  [[nodiscard]] std::optional<Token> unknown() const noexcept override { return fields_.unknown; }

 private:
  static constexpr Token no_piece = -1;
  static constexpr double unknown_penalty = 10, rescale_beyond = 100000;

  /// The best way to a place in the text: the last piece of it.
  template <class Score>
  struct Step {
    Score score = 0;
    std::uint32_t begin = 0;
    Token id = no_piece;
    bool reached = false;
  };

  [[nodiscard]] PieceType type_of(Token id) const noexcept {
    return fields_.types.empty() ? PieceType::normal : fields_.types[static_cast<std::size_t>(id)];
  }

  void check_scores() {
    double lowest = std::numeric_limits<double>::infinity();
    for (Token id = 0; id < fields_.vocabulary.size(); ++id) {
      double const score = fields_.scores[static_cast<std::size_t>(id)];
      if (!std::isfinite(score)) {
        fail<FileError>("[", fields_.source, "] score of piece ", printable(fields_.vocabulary.token(id).value_or("")),
                        " is not a finite number; got ", score);
      }
      if (type_of(id) == PieceType::normal) lowest = std::min(lowest, score);
    }
    if (!std::isfinite(lowest)) lowest = 0;
    bool const single = fields_.rule == UnigramRule::sentencepiece;
    unknown_score_ =
        single ? static_cast<float>(lowest) - static_cast<float>(unknown_penalty) : lowest - unknown_penalty;
  }

  /// A piece's score; user-defined ones always win.
  [[nodiscard]] double score_of(Token id, std::size_t length) const noexcept {
    if (type_of(id) == PieceType::user_defined) return 0.1 * (static_cast<double>(length) - 1);
    return fields_.scores[static_cast<std::size_t>(id)];
  }

  template <class Score>
  void divide(std::string_view text, std::vector<Token>& out) const {
    if (text.size() >= UINT32_MAX)
      fail<ConfigError>("[tokenize] text is too long; got ", text.size(), " bytes; expected fewer than ", UINT32_MAX);
    std::vector<Step<Score>> steps(text.size() + 1);
    std::size_t furthest = 0;  // the last place that is reached
    for (std::size_t at = 0; at < text.size();) {
      if (fields_.rule == UnigramRule::sentencepiece && std::abs(steps[at].score) > rescale_beyond)
        rescale(steps, at, furthest);
      Score const before = steps[at].score;
      auto const offer = [&](Token id, std::size_t length, Score piece) {
        furthest = std::max(furthest, at + length);
        Step<Score>& step = steps[at + length];
        Score const score = piece + before;
        if (!step.reached || score > step.score) step = {score, static_cast<std::uint32_t>(at), id, true};
      };
      std::size_t const one = utf8_at(text, at).bytes;
      bool single = false;
      trie_.for_each_prefix(fields_.vocabulary, text.substr(at), [&](Token id, std::size_t length) {
        offer(id, length, static_cast<Score>(score_of(id, length)));
        single = single || length == one;
      });
      if (!single) offer(fields_.unknown.value_or(no_piece), one, static_cast<Score>(unknown_score_));
      at += one;
    }
    write(text, steps, out);
  }

  /// Subtracts the score so far from all that are open, so that single precision stays precise enough in long texts.
  template <class Score>
  static void rescale(std::vector<Step<Score>>& steps, std::size_t at, std::size_t furthest) noexcept {
    Score const offset = steps[at].score;
    for (std::size_t i = at; i <= furthest; ++i)
      if (steps[i].reached) steps[i].score -= offset;
  }

  /// Goes back along the best way and appends its tokens.
  template <class Score>
  void write(std::string_view text, std::vector<Step<Score>>& steps, std::vector<Token>& out) const {
    std::size_t place = text.size(), first = steps.size();
    while (place >
           0) {  // the steps of the way, packed at the end of the same table: never before the one that is read next
      Step<Score> const step = steps[place];
      steps[--first] = step;
      place = step.begin;
    }
    auto const known = [&](std::size_t i) { return steps[i].id != no_piece && steps[i].id != fields_.unknown; };
    for (std::size_t i = first; i < steps.size(); ++i) {
      if (known(i)) {
        out.push_back(steps[i].id);
        continue;
      }
      std::size_t const begin = steps[i].begin;
      while (i + 1 < steps.size() && !known(i + 1)) ++i;
      std::size_t const end = i + 1 < steps.size() ? steps[i + 1].begin : text.size();
      write_unknown(text.substr(begin, end - begin), out);
    }
  }

  void write_unknown(std::string_view run, std::vector<Token>& out) const {
    if (fields_.rule == UnigramRule::hugging_face) {
      if (auto const whole = fields_.vocabulary.find(run)) return out.push_back(*whole);
    }
    if (fields_.byte_fallback && bytes_.can_spell(run)) {
      for (char const byte : run) out.push_back(bytes_[byte]);
    } else if (fields_.unknown) {
      out.push_back(*fields_.unknown);
    }
  }

  UnigramFields fields_;
  PieceTrie trie_;
  BytePieces bytes_;
  double unknown_score_ = 0;
};

}  // namespace graft
