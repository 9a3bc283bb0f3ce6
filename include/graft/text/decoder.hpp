/// @file
/// @brief From tokens back to text.
#pragma once

#include <graft/text/byte_alphabet.hpp>
#include <graft/text/byte_pieces.hpp>
#include <graft/text/metaspace.hpp>
#include <graft/text/utf8.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace graft {

/// How tokens make a text.
namespace decoding {

/// Each token spells bytes in GPT-2's alphabet.
struct ByteLevel {};

/// Tokens are words, joined by single spaces (Hugging Face's behaviour where a file names no decoder).
struct Spaces {};

/// Tokens are words, but for those with a prefix, which continue the word before.
struct WordPiece {
  std::string prefix = "##";
  bool cleanup = true;  ///< no space before punctuation and English contractions
};

/// What becomes of a run of byte tokens that is not UTF-8.
enum class ByteRuns : std::uint8_t {
  as_text,  ///< byte tokens are no bytes: they stand for themselves
  whole,    ///< U+FFFD for each byte of the run, the good ones too (Hugging Face's `ByteFallback`)
  each      ///< U+FFFD for each byte that is part of no character (SentencePiece)
};

/// Which `▁` at the beginning of a text are no space.
enum class LeadingSpaces : std::uint8_t {
  keep,
  drop_in_first,  ///< those of the first token (Hugging Face's `Metaspace`)
  drop_one,       ///< one (SentencePiece with a dummy prefix)
  drop_one_each   ///< one in each token until there is any text (SentencePiece with extra spaces removed)
};

/// Tokens are pieces of the text, with `▁` for a space.
struct Pieces {
  std::vector<std::pair<std::string, std::string>>
      replacements;  ///< made in each token but those that spell bytes, in order
  ByteRuns byte_runs = ByteRuns::as_text;
  bool metaspaces = false;  ///< `▁` becomes a space
  LeadingSpaces leading = LeadingSpaces::keep;
  std::string strip;           ///< a character that the text loses where it begins with it …
  std::size_t strip_most = 0;  ///< … at most so many times
  std::shared_ptr<std::unordered_map<std::string, std::string> const>
      surfaces;  ///< what single tokens stand for; null: none

  [[nodiscard]] bool operator==(Pieces const&) const = default;
};

}  // namespace decoding

using Decoder = std::variant<decoding::ByteLevel, decoding::Spaces, decoding::WordPiece, decoding::Pieces>;

}  // namespace graft
