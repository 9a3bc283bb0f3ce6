/// @file
/// @brief Byte-pair encoding of characters with listed merges: SentencePiece BPE as Hugging Face's tokenizer.json
/// writes it.
#pragma once

#include <graft/core/error.hpp>
#include <graft/core/types.hpp>
#include <graft/text/byte_pieces.hpp>
#include <graft/text/merge_list.hpp>
#include <graft/text/merge_symbols.hpp>
#include <graft/text/model.hpp>
#include <graft/text/utf8.hpp>
#include <graft/text/vocabulary.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace graft {

/// What makes such a model.
struct CharacterBpeFields {
  Vocabulary vocabulary;
  MergeList merges;
  std::optional<std::string> unknown;  ///< token for characters that the vocabulary lacks; without one they vanish
  bool fuse_unknown = false;           ///< adjacent ones become one token
  bool byte_fallback = false;          ///< they are spelled in bytes, if all of their bytes are tokens
  bool ignore_merges = false;          ///< a word that is a token is that token, whatever the merges say
  std::string source = "tokenizer";    ///< name of the file, for errors
};

class CharacterBpe final : public TokenizerModel {
 public:
  /// @throws FileError for a merge or unknown token whose texts are not in the vocabulary
  explicit CharacterBpe(CharacterBpeFields fields)
      : vocabulary_(std::move(fields.vocabulary)),
        merges_(make_merge_table(fields.merges, vocabulary_, fields.source)),
        fuse_unknown_(fields.fuse_unknown),
        byte_fallback_(fields.byte_fallback),
        ignore_merges_(fields.ignore_merges) {
    if (byte_fallback_) bytes_ = BytePieces(vocabulary_);
    if (!fields.unknown) return;
    unknown_ = vocabulary_.find(*fields.unknown);
    if (!unknown_)
      fail<FileError>("[", fields.source, "] unknown token is not in the vocabulary; got ", printable(*fields.unknown));
  }

  void encode_word(std::string_view word, std::vector<Token>& out) const override {
    if (ignore_merges_) {
      if (auto const whole = vocabulary_.find(word)) return out.push_back(*whole);
    }
    std::vector<Token> symbols = first_symbols(word);
    if (symbols.size() <= detail::short_word) return detail::merge_by_scanning(merges_, symbols, out);
    detail::HeapMerger(merges_, symbols).run(out);
  }

  [[nodiscard]] Vocabulary const& vocabulary() const noexcept override { return vocabulary_; }
  [[nodiscard]] std::optional<Token> unknown() const noexcept override { return unknown_; }

 private:
  /// The token of each character. An unknown one is held back until a known character or another unknown one follows,
  /// as in Hugging Face's tokenizers, where bytes that come in between therefore stand before it.
  [[nodiscard]] std::vector<Token> first_symbols(std::string_view word) const {
    std::vector<Token> symbols;
    symbols.reserve(word.size());
    bool held = false;
    for (std::size_t at = 0; at < word.size();) {
      std::string_view const character = word.substr(at, utf8_at(word, at).bytes);
      at += character.size();
      auto const id = vocabulary_.find(character);
      if (id) {
        if (held) symbols.push_back(*unknown_);
        held = false;
        symbols.push_back(*id);
      } else if (byte_fallback_ && bytes_.can_spell(character)) {
        for (char const byte : character) symbols.push_back(bytes_[byte]);
      } else if (unknown_) {
        if (held && !fuse_unknown_) symbols.push_back(*unknown_);
        held = true;
      }
    }
    if (held) symbols.push_back(*unknown_);
    return symbols;
  }

  Vocabulary vocabulary_;
  MergeTable merges_;
  BytePieces bytes_;
  std::optional<Token> unknown_;
  bool fuse_unknown_ = false, byte_fallback_ = false, ignore_merges_ = false;
};

}  // namespace graft
