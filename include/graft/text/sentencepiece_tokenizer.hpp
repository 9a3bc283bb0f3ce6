/// @file
/// @brief A tokenizer from what a SentencePiece model holds.
#pragma once

#include <graft/core/error.hpp>
#include <graft/core/types.hpp>
#include <graft/text/byte_pieces.hpp>
#include <graft/text/chars_map.hpp>
#include <graft/text/piece_type.hpp>
#include <graft/text/sentencepiece_bpe.hpp>
#include <graft/text/sentencepiece_normalizer.hpp>
#include <graft/text/tokenizer.hpp>
#include <graft/text/unigram.hpp>
#include <graft/text/vocabulary.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace graft {

/// A SentencePiece model as plain values (the reader fills it; the tokenizer is built from it).
struct SentencePieceFields {
  enum class Kind : std::uint8_t { unigram = 1, bpe = 2 };

  std::string file;              ///< for messages
  Vocabulary vocabulary;         ///< ids from 0 on without gaps
  std::vector<float> scores;     ///< of each id
  std::vector<PieceType> types;  ///< of each id
  Kind kind = Kind::unigram;
  bool byte_fallback = false;
  std::string unknown_surface = " \u2047 ";  ///< how an unknown token is decoded
  std::string bos_piece = "<s>", eos_piece = "</s>", pad_piece = "<pad>";
  std::string chars_map;  ///< `precompiled_charsmap`; empty: characters stay as they are
  PrefixSpace prefix = PrefixSpace::always;
  bool remove_extra_whitespaces = true, escape_whitespaces = true, whitespace_as_suffix = false;
};

namespace detail {

/// More control pieces than any model has: each is an entry in several tables.
inline constexpr std::size_t most_control_pieces = std::size_t{1} << 16;

/// Refuses what contradicts itself and returns the unknown piece.
inline Token check_pieces(SentencePieceFields const& fields) {
  std::optional<Token> unknown;
  std::size_t control = 0, bytes = 0;
  for (Token id = 0; id < fields.vocabulary.size(); ++id) {
    std::string_view const piece = fields.vocabulary.token(id).value_or("");
    auto const refuse = [&](auto const&... why) {
      fail<FileError>("[", fields.file, "] piece ", id, " ", printable(piece), " ", why...);
    };
    if (piece.empty()) refuse("is empty; expected a text");
    if (piece.size() >= PieceTrie::longest_piece)
      refuse("is too long; got ", piece.size(), " bytes; expected fewer than 8000");
    if (piece.find('\0') != std::string_view::npos) refuse("holds a zero byte; expected none");
    if (valid_utf8_prefix(piece) != piece.size()) refuse("is not UTF-8");
    switch (fields.types[static_cast<std::size_t>(id)]) {
      case PieceType::unknown:
        if (unknown) refuse("is a second unknown piece; expected only ", *unknown);
        unknown = id;
        break;
      case PieceType::control:
        if (++control > most_control_pieces)
          refuse("is one control piece too many; expected at most ", most_control_pieces);
        break;
      case PieceType::byte:
        if (!fields.byte_fallback) refuse("is a byte; expected none in a model without byte fallback");
        if (auto const byte = byte_of_piece(piece); !byte || spell_byte_piece(*byte) != piece)
          refuse("is no byte; expected <0x00> to <0xFF>");
        ++bytes;
        break;
      case PieceType::normal:
      case PieceType::user_defined:
      case PieceType::unused: break;
    }
  }
  if (!unknown)
    fail<FileError>("[", fields.file, "] has no unknown piece among ", fields.vocabulary.size(), "; expected one");
  if (fields.byte_fallback && bytes != 256)
    fail<FileError>("[", fields.file, "] lacks byte pieces; got ", bytes, "; expected 256");
  return *unknown;
}

[[nodiscard]] inline SentencePieceNormalizer sentencepiece_normalizer(SentencePieceFields const& fields) {
  SentencePieceNormalizer normalizer;
  if (!fields.chars_map.empty()) normalizer.chars_map = std::make_shared<CharsMap const>(fields.chars_map, fields.file);
  auto kept = std::make_shared<KeptTexts>();
  std::vector<Token> ids;
  for (Token id = 0; id < fields.vocabulary.size(); ++id) {
    if (fields.types[static_cast<std::size_t>(id)] != PieceType::user_defined) continue;
    ids.push_back(kept->texts.size());
    kept->texts.add(*fields.vocabulary.token(id), ids.back(), fields.file);
  }
  if (!ids.empty()) {
    kept->trie = PieceTrie(kept->texts, std::move(ids), fields.file);
    normalizer.kept = std::move(kept);
  }
  normalizer.prefix = fields.prefix;
  normalizer.remove_extra_whitespaces = fields.remove_extra_whitespaces;
  normalizer.escape_whitespaces = fields.escape_whitespaces;
  normalizer.whitespace_as_suffix = fields.whitespace_as_suffix;
  return normalizer;
}

[[nodiscard]] inline decoding::Pieces sentencepiece_decoder(SentencePieceFields const& fields) {
  decoding::Pieces decoder;
  if (fields.byte_fallback) decoder.byte_runs = decoding::ByteRuns::each;
  decoder.metaspaces = true;
  decoder.leading = fields.remove_extra_whitespaces       ? decoding::LeadingSpaces::drop_one_each
                    : fields.prefix != PrefixSpace::never ? decoding::LeadingSpaces::drop_one
                                                          : decoding::LeadingSpaces::keep;
  auto surfaces = std::make_shared<std::unordered_map<std::string, std::string>>();
  for (Token id = 0; id < fields.vocabulary.size(); ++id) {
    PieceType const type = fields.types[static_cast<std::size_t>(id)];
    if (type == PieceType::control) surfaces->emplace(*fields.vocabulary.token(id), "");
    if (type == PieceType::unknown) surfaces->emplace(*fields.vocabulary.token(id), fields.unknown_surface);
  }
  decoder.surfaces = std::move(surfaces);
  return decoder;
}

}  // namespace detail

/// The parts of a tokenizer that encodes and decodes as SentencePiece does. Control pieces and the unknown piece are
/// special; they are not found in text, and control pieces are invisible when decoded.
/// @throws FileError for contradictory fields
[[nodiscard]] inline TokenizerParts make_sentencepiece_parts(SentencePieceFields fields) {
  auto const size = static_cast<std::size_t>(fields.vocabulary.size());
  if (fields.scores.size() != size || fields.types.size() != size)
    fail<FileError>("[", fields.file, "] scores and types are not one for each of ", size, " pieces; got ",
                    fields.scores.size(), " and ", fields.types.size());
  Token const unknown = detail::check_pieces(fields);
  TokenizerParts parts;
  parts.source = fields.file;
  parts.normalizer = Normalizer({detail::sentencepiece_normalizer(fields)});
  parts.decoder = detail::sentencepiece_decoder(fields);
  for (Token id = 0; id < fields.vocabulary.size(); ++id) {
    PieceType const type = fields.types[static_cast<std::size_t>(id)];
    if (type != PieceType::control && type != PieceType::unknown) continue;
    AddedToken token;
    token.content = *fields.vocabulary.token(id);
    token.id = id;
    token.special = true;
    token.in_text = false;
    parts.added_tokens.push_back(std::move(token));
  }
  auto const control = [&](std::string const& piece) -> std::optional<Token> {
    auto const id = fields.vocabulary.find(piece);
    return id && fields.types[static_cast<std::size_t>(*id)] == PieceType::control ? id : std::nullopt;
  };
  parts.special_tokens.bos = control(fields.bos_piece);
  parts.special_tokens.eos = control(fields.eos_piece);
  parts.special_tokens.pad = control(fields.pad_piece);
  parts.special_tokens.unk = unknown;
  if (fields.kind == SentencePieceFields::Kind::bpe) {
    parts.model = std::make_shared<SentencePieceBpe const>(
        SentencePieceBpeFields{std::move(fields.vocabulary), std::move(fields.scores), std::move(fields.types), unknown,
                               fields.byte_fallback, fields.file});
  } else {
    std::vector<double> scores(fields.scores.begin(), fields.scores.end());
    parts.model = std::make_shared<Unigram const>(UnigramFields{std::move(fields.vocabulary), std::move(scores),
                                                                std::move(fields.types), unknown, fields.byte_fallback,
                                                                UnigramRule::sentencepiece, fields.file});
  }
  return parts;
}

}  // namespace graft
