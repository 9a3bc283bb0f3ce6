/// @file
/// @brief Byte-level byte-pair encoding, the tokenizer model of GPT-2, RoBERTa, BART, Llama 3, Qwen and SmolLM.
#pragma once

#include <graft/core/error.hpp>
#include <graft/core/types.hpp>
#include <graft/text/byte_alphabet.hpp>
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

/// The merges as a file lists them, by rank: pairs of texts, since their ids may not be known yet when they are read. All lie in one
/// buffer, each text behind its length, so that they take no more memory than the file.
class MergeList {
 public:
  void add(std::string_view left, std::string_view right) {
    append(left);
    append(right);
    ++size_;
  }

  /// Adds a merge written as its two tokens with one space between: `"Ġ t"`. `source` names the file in errors.
  void add_line(std::string_view line, std::string_view source) {
    std::size_t const space = line.find(' ');
    if (space == std::string_view::npos || line.find(' ', space + 1) != std::string_view::npos) {
      fail<FileError>("[", source, "] merge ", size_, " is not a pair; got ", detail::quoted(line),
                      "; expected two tokens with one space between");
    }
    add(line.substr(0, space), line.substr(space + 1));
  }

  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  /// Calls `merge(left, right)` for each, in order.
  template <class Each>
  void for_each(Each&& merge) const {
    for (std::string_view rest = texts_; !rest.empty();) {
      std::string_view const left = take(rest);
      merge(left, take(rest));
    }
  }

 private:
  /// Seven bits of the length a byte, lowest first; the highest bit says that more follow.
  void append(std::string_view text) {
    std::size_t length = text.size();
    for (; length >= 0x80; length >>= 7) texts_.push_back(static_cast<char>(static_cast<unsigned char>(0x80 | (length & 0x7F))));
    texts_.push_back(static_cast<char>(length));
    texts_.append(text);
  }

  [[nodiscard]] static std::string_view take(std::string_view& rest) noexcept {
    std::size_t length = 0, used = 0;
    for (unsigned char byte = 0x80; (byte & 0x80) != 0; ++used) {
      byte = static_cast<unsigned char>(rest[used]);
      length |= static_cast<std::size_t>(byte & 0x7F) << (7 * used);
    }
    std::string_view const text = rest.substr(used, length);
    rest.remove_prefix(used + length);
    return text;
  }

  std::string texts_;
  std::size_t size_ = 0;
};

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
      : vocabulary_(std::move(fields.vocabulary)), ignore_merges_(fields.ignore_merges), fuse_unknown_(fields.fuse_unknown) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      char const raw = static_cast<char>(static_cast<unsigned char>(byte));
      byte_token_[byte] = vocabulary_.find(spell_bytes({&raw, 1})).value_or(missing);
    }
    if (fields.unknown) unknown_ = id_of(*fields.unknown, "unknown token", fields.source);
    add_merges(fields.merges, fields.source);
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
  [[nodiscard]] std::optional<Token> unknown() const noexcept { return unknown_; }

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
    if (!id) fail<FileError>("[", source, "] ", role, " is not in the vocabulary; got ", detail::quoted(token));
    return *id;
  }

  void add_merges(MergeList const& merges, std::string_view source) {
    if (merges.size() >= UINT32_MAX) fail<FileError>("[", source, "] has too many merges; got ", merges.size());
    std::uint32_t rank = 0;
    std::string merged;
    merges.for_each([&](std::string_view left, std::string_view right) {
      merged.assign(left).append(right);
      auto const a = vocabulary_.find(left), b = vocabulary_.find(right), both = vocabulary_.find(merged);
      if (!a || !b || !both) {
        fail<FileError>("[", source, "] merge ", rank, " refers to a token that is not in the vocabulary; got ", detail::quoted(left),
                        " + ", detail::quoted(right), "; expected ",
                        detail::quoted(!a   ? left
                                       : !b ? right
                                            : std::string_view(merged)),
                        " to be a token");
      }
      merges_.insert(*a, *b, {rank++, *both});
    });
  }

  Vocabulary vocabulary_;
  MergeTable merges_;
  std::array<Token, 256> byte_token_{};
  std::optional<Token> unknown_;
  bool ignore_merges_ = false, fuse_unknown_ = false;
};

}  // namespace graft
