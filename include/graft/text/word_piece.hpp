/// @file
/// @brief WordPiece, the tokenizer model of BERT and MiniLM: from the left, always the longest piece that fits.
#pragma once

#include <graft/core/error.hpp>
#include <graft/core/types.hpp>
#include <graft/text/model.hpp>
#include <graft/text/piece_trie.hpp>
#include <graft/text/utf8.hpp>
#include <graft/text/vocabulary.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace graft {

/// What makes a WordPiece model.
struct WordPieceFields {
  Vocabulary vocabulary;
  std::string unknown = "[UNK]";   ///< stands for a word that the vocabulary cannot spell
  std::string prefix = "##";       ///< begins the pieces that continue a word
  std::size_t longest_word = 100;  ///< in characters; longer words are unknown
  std::string source = "tokenizer";
};

/// Wu et al. 2016, "Google's Neural Machine Translation System", section 4.1; BERT's greedy form.
class WordPiece final : public TokenizerModel {
 public:
  /// @throws FileError if the unknown token is not in the vocabulary
  explicit WordPiece(WordPieceFields fields) : fields_(std::move(fields)) {
    auto const unknown = fields_.vocabulary.find(fields_.unknown);
    if (!unknown)
      fail<FileError>("[", fields_.source, "] unknown token is not in the vocabulary; got ",
                      printable(fields_.unknown));
    unknown_ = *unknown;
    std::vector<Token> ids;
    for (Token id = 0; id < fields_.vocabulary.size(); ++id)
      if (fields_.vocabulary.token(id)) ids.push_back(id);
    pieces_ = PieceTrie(fields_.vocabulary, std::move(ids), fields_.source);
  }

  void encode_word(std::string_view word, std::vector<Token>& out) const override {
    if (count_characters(word) > fields_.longest_word) return out.push_back(unknown_);
    std::size_t const before = out.size(), prefix = fields_.prefix.size();
    std::string text = std::string(prefix, ' ').append(word);
    for (std::size_t at = prefix; at < text.size();) {
      std::size_t const shown = at == prefix ? 0 : prefix;  // bytes of the prefix, written over what is done with
      text.replace(at - shown, shown, fields_.prefix, 0, shown);
      auto const [id, length] = pieces_.longest_prefix(fields_.vocabulary, std::string_view(text).substr(at - shown));
      if (length <= shown) {  // no piece, or one that is nothing but the prefix
        out.resize(before);
        return out.push_back(unknown_);
      }
      out.push_back(id);
      at += length - shown;
    }
  }

  [[nodiscard]] Vocabulary const& vocabulary() const noexcept override { return fields_.vocabulary; }
  [[nodiscard]] std::optional<Token> unknown() const noexcept override { return unknown_; }

 private:
  WordPieceFields fields_;
  PieceTrie pieces_;
  Token unknown_ = 0;
};

}  // namespace graft
