/// @file
/// @brief Byte-level byte-pair encoding, the tokenizer model of GPT-2, RoBERTa, BART, Llama 3, Qwen and SmolLM.
#pragma once

#include <graft/core/error.hpp>
#include <graft/core/types.hpp>
#include <graft/text/byte_alphabet.hpp>
#include <graft/text/merge_list.hpp>
#include <graft/text/merge_symbols.hpp>
#include <graft/text/merge_table.hpp>
#include <graft/text/model.hpp>
#include <graft/text/vocabulary.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace graft {

/// What makes a byte-level BPE model.
struct ByteLevelBpeFields {
  Vocabulary vocabulary;  ///< tokens in GPT-2's byte alphabet
  MergeList merges;
  std::optional<std::string> unknown;  ///< token for bytes that the vocabulary lacks; without one such bytes vanish
  bool fuse_unknown = false;           ///< adjacent unknown bytes become one token
  bool ignore_merges = false;          ///< a word that is a token is that token, whatever the merges say
  std::string source = "tokenizer";    ///< name of the file, for errors
};

class ByteLevelBpe final : public TokenizerModel {
 public:
  /// @throws FileError for a merge or unknown token whose texts are not in the vocabulary.
  explicit ByteLevelBpe(ByteLevelBpeFields fields)
      : vocabulary_(std::move(fields.vocabulary)),
        ignore_merges_(fields.ignore_merges),
        fuse_unknown_(fields.fuse_unknown) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      char const raw = static_cast<char>(static_cast<unsigned char>(byte));
      byte_token_[byte] = vocabulary_.find(spell_bytes({&raw, 1})).value_or(missing);
    }
    if (fields.unknown) unknown_ = id_of(*fields.unknown, "unknown token", fields.source);
    merges_ = make_merge_table(fields.merges, vocabulary_, fields.source);
  }

  void encode_word(std::string_view word, std::vector<Token>& out) const override {
    if (ignore_merges_) {
      if (auto const whole = vocabulary_.find(spell_bytes(word))) return out.push_back(*whole);
    }
    if (word.size() <= detail::short_word) {
      std::array<Token, detail::short_word> symbols;
      std::size_t const count = first_symbols(word, symbols.data());
      return detail::merge_by_scanning(merges_, {symbols.data(), count}, out);
    }
    std::vector<Token> symbols(word.size());
    symbols.resize(first_symbols(word, symbols.data()));
    detail::HeapMerger(merges_, symbols).run(out);
  }

  [[nodiscard]] Vocabulary const& vocabulary() const noexcept override { return vocabulary_; }
  [[nodiscard]] std::optional<Token> unknown() const noexcept override { return unknown_; }

 private:
  static constexpr Token missing = -1;

  /// Writes the token of each byte, at most one a byte, and returns how many.
  [[nodiscard]] std::size_t first_symbols(std::string_view word, Token* symbols) const noexcept {
    std::size_t count = 0;
    bool in_unknown = false;
    for (char const raw : word) {
      Token const token = byte_token_[static_cast<unsigned char>(raw)];
      if (token != missing) {
        symbols[count++] = token;
      } else if (unknown_ && !(in_unknown && fuse_unknown_)) {
        symbols[count++] = *unknown_;
      }
      in_unknown = token == missing;
    }
    return count;
  }

  [[nodiscard]] Token id_of(std::string_view token, char const* role, std::string_view source) const {
    auto const id = vocabulary_.find(token);
    if (!id) fail<FileError>("[", source, "] ", role, " is not in the vocabulary; got ", printable(token));
    return *id;
  }

  Vocabulary vocabulary_;
  MergeTable merges_;
  std::array<Token, 256> byte_token_{};
  std::optional<Token> unknown_;
  bool ignore_merges_ = false, fuse_unknown_ = false;
};

}  // namespace graft
