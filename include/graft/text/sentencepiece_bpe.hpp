/// @file
/// @brief SentencePiece's byte-pair encoding: of all adjacent pairs that make a piece the one of highest score,
/// leftmost first.
#pragma once

#include <graft/core/error.hpp>
#include <graft/core/types.hpp>
#include <graft/text/byte_hash.hpp>
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
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace graft {

/// What makes a SentencePiece BPE model.
struct SentencePieceBpeFields {
  Vocabulary vocabulary;         ///< ids from 0 on without gaps
  std::vector<float> scores;     ///< of each id: the higher, the earlier is the piece made
  std::vector<PieceType> types;  ///< of each id
  std::optional<Token> unknown;  ///< stands for characters without a piece; a run of them is one token
  bool byte_fallback = false;    ///< such characters are spelled in bytes instead
  std::string source = "tokenizer";
};

/// The tokenizer model of LLaMA 1 and 2 and of Mistral. Which pairs may be merged is not listed: all that make a piece.
class SentencePieceBpe final : public TokenizerModel {
 public:
  /// @throws FileError for tables of different lengths or scores that are not finite
  explicit SentencePieceBpe(SentencePieceBpeFields fields) : fields_(std::move(fields)) {
    auto const size = static_cast<std::size_t>(fields_.vocabulary.size());
    if (fields_.scores.size() != size || fields_.types.size() != size) {
      fail<FileError>("[", fields_.source, "] scores, types and pieces disagree; got ", fields_.scores.size(), ", ",
                      fields_.types.size(), " and ", size);
    }
    std::vector<Token> user_defined;
    for (Token id = 0; id < fields_.vocabulary.size(); ++id) {
      std::string_view const piece = fields_.vocabulary.token(id).value_or("");
      if (!std::isfinite(score_of(id))) {
        fail<FileError>("[", fields_.source, "] score of piece ", printable(piece), " is not a finite number; got ",
                        score_of(id));
      }
      if (type_of(id) == PieceType::user_defined) user_defined.push_back(id);
      if (mergeable(id)) longest_piece_ = std::max(longest_piece_, piece.size());
    }
    user_defined_ = PieceTrie(fields_.vocabulary, std::move(user_defined), fields_.source);
    if (fields_.byte_fallback) bytes_ = BytePieces(fields_.vocabulary);
  }

  void encode_word(std::string_view word, std::vector<Token>& out) const override {
    if (word.size() >= end)
      fail<ConfigError>("[tokenize] text is too long; got ", word.size(), " bytes; expected fewer than ", end);
    Merging merging{word, symbols_of(word), {}, {}};
    for (std::uint32_t i = 0; i + 1 < merging.symbols.size(); ++i) consider(merging, i);
    while (!merging.agenda.empty()) {
      std::pop_heap(merging.agenda.begin(), merging.agenda.end());
      Candidate const best = merging.agenda.back();
      merging.agenda.pop_back();
      if (is_current(merging, best)) apply(merging, best);
    }
    write(merging, out);
  }

  [[nodiscard]] Vocabulary const& vocabulary() const noexcept override { return fields_.vocabulary; }
  [[nodiscard]] std::optional<Token> unknown() const noexcept override { return fields_.unknown; }

 private:
  static constexpr std::uint32_t end = UINT32_MAX;

  struct Symbol {
    std::uint32_t begin, length;  ///< length 0: merged into its left neighbour
    std::uint32_t previous, next;
    bool frozen;  ///< a user-defined piece: never merged
  };
  struct Candidate {
    float score;
    std::uint32_t left, length;
    /// std's heaps keep the largest on top: the highest score, then the leftmost, must compare largest.
    [[nodiscard]] bool operator<(Candidate const& other) const noexcept {
      return score != other.score ? score < other.score : left > other.left;
    }
  };
  struct Merging {
    std::string_view text;
    std::vector<Symbol> symbols;
    std::vector<Candidate> agenda;
    std::unordered_map<std::string_view, std::uint32_t>
        halves;  ///< unused piece → length of the left part it was last made of
  };

  [[nodiscard]] float score_of(Token id) const noexcept { return fields_.scores[static_cast<std::size_t>(id)]; }
  [[nodiscard]] PieceType type_of(Token id) const noexcept { return fields_.types[static_cast<std::size_t>(id)]; }
  [[nodiscard]] bool mergeable(Token id) const noexcept {
    PieceType const type = type_of(id);
    return type == PieceType::normal || type == PieceType::user_defined || type == PieceType::unused;
  }

  [[nodiscard]] std::vector<Symbol> symbols_of(std::string_view text) const {
    std::vector<Symbol> symbols;
    symbols.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
      std::size_t const defined = user_defined_.longest_prefix(fields_.vocabulary, text.substr(at)).length;
      std::size_t const length = defined > 0 ? defined : utf8_at(text, at).bytes;
      auto const place = static_cast<std::uint32_t>(symbols.size());
      symbols.push_back({static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(length),
                         place == 0 ? end : place - 1, place + 1, defined > 0});
      at += length;
    }
    if (!symbols.empty()) symbols.back().next = end;
    return symbols;
  }

  /// Puts the pair that begins with symbol `left` on the agenda, if it makes a piece.
  void consider(Merging& merging, std::uint32_t left) const {
    Symbol const& a = merging.symbols[left];
    if (a.next == end) return;
    Symbol const& b = merging.symbols[a.next];
    std::size_t const length = std::size_t{a.length} + b.length;
    if (a.frozen || b.frozen || length > longest_piece_) return;
    std::string_view const piece = merging.text.substr(a.begin, length);
    auto const id = fields_.vocabulary.find(piece);
    if (!id || !mergeable(*id)) return;
    merging.agenda.push_back({score_of(*id), left, static_cast<std::uint32_t>(length)});
    std::push_heap(merging.agenda.begin(), merging.agenda.end());
    if (type_of(*id) == PieceType::unused) merging.halves[piece] = a.length;
  }

  /// Whether the pair still is the one that was considered: symbols only grow, so their length tells.
  [[nodiscard]] static bool is_current(Merging const& merging, Candidate const& candidate) noexcept {
    Symbol const& left = merging.symbols[candidate.left];
    return left.length > 0 && left.next != end && left.length + merging.symbols[left.next].length == candidate.length;
  }

  void apply(Merging& merging, Candidate const& candidate) const {
    Symbol& left = merging.symbols[candidate.left];
    Symbol& right = merging.symbols[left.next];
    left.length = candidate.length;
    right.length = 0;
    left.next = right.next;
    if (left.next != end) merging.symbols[left.next].previous = candidate.left;
    if (left.previous != end) consider(merging, left.previous);
    consider(merging, candidate.left);
  }

  void write(Merging const& merging, std::vector<Token>& out) const {
    bool after_unknown = false;
    std::vector<std::string_view> parts;
    for (std::uint32_t i = 0; i < merging.symbols.size(); i = merging.symbols[i].next) {
      parts.assign(1, merging.text.substr(merging.symbols[i].begin, merging.symbols[i].length));
      while (!parts.empty()) {  // an unused piece falls apart again into what it was made of
        std::string_view const part = parts.back();
        parts.pop_back();
        auto const id = fields_.vocabulary.find(part);
        bool const unused = id && type_of(*id) == PieceType::unused;
        auto const half = unused ? merging.halves.find(part) : merging.halves.end();
        if (half != merging.halves.end()) {
          parts.push_back(part.substr(half->second));
          parts.push_back(part.substr(0, half->second));
        } else if (id && mergeable(*id) && !unused) {
          out.push_back(*id);
          after_unknown = false;
        } else {
          write_unknown(part, after_unknown, out);
          after_unknown = true;
        }
      }
    }
  }

  void write_unknown(std::string_view part, bool after_unknown, std::vector<Token>& out) const {
    if (fields_.byte_fallback && bytes_.can_spell(part)) {
      for (char const byte : part) out.push_back(bytes_[byte]);
    } else if (fields_.unknown && !after_unknown) {
      out.push_back(*fields_.unknown);
    }
  }

  SentencePieceBpeFields fields_;
  PieceTrie user_defined_;
  BytePieces bytes_;
  std::size_t longest_piece_ = 0;
};

}  // namespace graft
