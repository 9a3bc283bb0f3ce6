/// @file
/// @brief Reads a SentencePiece model: `spiece.model`, `tokenizer.model`.
#pragma once

#include <graft/core/error.hpp>
#include <graft/io/protobuf_cursor.hpp>
#include <graft/text/sentencepiece_tokenizer.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace graft {

namespace detail {

/// `ModelProto.SentencePiece`: text, score, type.
inline void read_piece(ProtobufCursor message, SentencePieceFields& fields) {
  std::string_view text;
  float score = 0;
  std::uint64_t type = 1;
  while (!message.at_end()) {
    message.next();
    switch (message.field()) {
      case 1: text = message.bytes("a piece's text"); break;
      case 2: score = message.single("a piece's score"); break;
      case 3: type = message.number("a piece's type"); break;
      default: message.skip();
    }
  }
  if (type < 1 || type > 6)
    fail<FileError>("[", fields.file, "] type of piece ", fields.vocabulary.size(), " is unknown; got ", type,
                    "; expected 1 to 6");
  fields.vocabulary.add(text, fields.vocabulary.size(), fields.file);
  fields.scores.push_back(score);
  fields.types.push_back(static_cast<PieceType>(type));
}

/// `TrainerSpec`: what of it concerns the model.
inline void read_trainer_spec(ProtobufCursor message, SentencePieceFields& fields) {
  auto const name = [&](std::string& target) {
    if (std::string_view const text = message.bytes("a special piece's name"); !text.empty()) target = text;
  };
  while (!message.at_end()) {
    message.next();
    switch (message.field()) {
      case 3: {
        std::uint64_t const type = message.number("the model's type");
        if (type < 1 || type > 4)
          fail<FileError>("[", fields.file, "] model type is unknown; got ", type, "; expected 1 (unigram) or 2 (BPE)");
        if (type > 2) {
          fail<ConfigError>("[", fields.file, "] model type is not supported; got ", type,
                            type == 3 ? " (word)" : " (characters)", "; expected 1 (unigram) or 2 (BPE)");
        }
        fields.kind = static_cast<SentencePieceFields::Kind>(type);
        break;
      }
      case 24: fields.whitespace_as_suffix = message.boolean("treat_whitespace_as_suffix"); break;
      case 35: fields.byte_fallback = message.boolean("byte_fallback"); break;
      case 44: fields.unknown_surface = message.bytes("unk_surface"); break;
      case 46: name(fields.bos_piece); break;
      case 47: name(fields.eos_piece); break;
      case 48: name(fields.pad_piece); break;
      default: message.skip();
    }
  }
}

/// `NormalizerSpec`.
inline void read_normalizer_spec(ProtobufCursor message, SentencePieceFields& fields) {
  while (!message.at_end()) {
    message.next();
    switch (message.field()) {
      case 2: fields.chars_map = message.bytes("precompiled_charsmap"); break;
      case 3: fields.prefix = message.boolean("add_dummy_prefix") ? PrefixSpace::always : PrefixSpace::never; break;
      case 4: fields.remove_extra_whitespaces = message.boolean("remove_extra_whitespaces"); break;
      case 5: fields.escape_whitespaces = message.boolean("escape_whitespaces"); break;
      default: message.skip();
    }
  }
}

/// Rules for decoding are not supported; an empty table is none.
inline void refuse_denormalizer(ProtobufCursor message, std::string const& file) {
  while (!message.at_end()) {
    message.next();
    if (message.field() != 2) {
      message.skip();
    } else if (!message.bytes("the denormalizer's precompiled_charsmap").empty()) {
      fail<ConfigError>("[", file, "] denormalizer is not supported; got rules for decoding; expected none");
    }
  }
}

}  // namespace detail

/// Reads the text of a model file, a `ModelProto`
/// (https://github.com/google/sentencepiece/blob/master/src/sentencepiece_model.proto).
/// @throws FileError for a malformed file, ConfigError for kinds of models other than unigram and BPE
[[nodiscard]] inline SentencePieceFields parse_sentencepiece(std::string_view bytes, std::string const& file) {
  SentencePieceFields fields;
  fields.file = file;
  bool trainer = false, normalizer = false;
  for (detail::ProtobufCursor message(bytes, file); !message.at_end();) {
    message.next();
    switch (message.field()) {
      case 1: detail::read_piece(message.message("a piece"), fields); break;
      case 2:
        detail::read_trainer_spec(message.message("trainer_spec"), fields);
        trainer = true;
        break;
      case 3:
        detail::read_normalizer_spec(message.message("normalizer_spec"), fields);
        normalizer = true;
        break;
      case 5: detail::refuse_denormalizer(message.message("denormalizer_spec"), file); break;
      default: message.skip();
    }
  }
  if (fields.scores.empty()) fail<FileError>("[", file, "] has no pieces; expected a SentencePiece model");
  if (!trainer || !normalizer) {
    fail<FileError>("[", file, "] lacks its ", trainer ? "normalizer_spec" : "trainer_spec", " after ",
                    fields.scores.size(), " pieces; expected both specifications; hint: is the file complete?");
  }
  return fields;
}

}  // namespace graft
