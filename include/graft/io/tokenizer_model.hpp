/// @file
/// @brief The model of tokenizer.json: BPE, Unigram or WordPiece.
#pragma once

#include <graft/core/error.hpp>
#include <graft/io/json.hpp>
#include <graft/io/tokenizer_component.hpp>
#include <graft/io/tokenizer_sax.hpp>
#include <graft/text/byte_level_bpe.hpp>
#include <graft/text/character_bpe.hpp>
#include <graft/text/model.hpp>
#include <graft/text/unigram.hpp>
#include <graft/text/word_piece.hpp>

#include <nlohmann/json.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace graft::detail {

using ModelPointer = std::shared_ptr<TokenizerModel const>;

/// BPE of bytes, if the pre-tokenizer spells them, else of characters.
[[nodiscard]] inline ModelPointer read_bpe(std::string const& source, TokenizerJson& file, nlohmann::json const& model,
                                           bool byte_level) {
  if (!file.has_vocabulary) fail<FileError>("[", source, "] lacks model.vocab; expected {\"token\": id, …}");
  if (!file.has_merges) fail<FileError>("[", source, "] lacks model.merges; expected a list of pairs");
  for (char const* const affix : {"continuing_subword_prefix", "end_of_word_suffix"})
    if (auto const value = json_or<std::string>(source, model, affix, ""); !value.empty())
      unsupported(source, affix, value, "none");
  constexpr std::array<std::string_view, 10> known{"type",
                                                   "dropout",
                                                   "unk_token",
                                                   "continuing_subword_prefix",
                                                   "end_of_word_suffix",
                                                   "fuse_unk",
                                                   "byte_fallback",
                                                   "ignore_merges",
                                                   "vocab",
                                                   "merges"};
  check_members(source, model, "BPE", known);
  bool const byte_fallback = json_or<bool>(source, model, "byte_fallback", false);
  if (byte_fallback && byte_level) unsupported(source, "byte_fallback", "true", "false (byte-level BPE)");
  if (json_or<double>(source, model, "dropout", 0.0) != 0.0)
    unsupported(source, "dropout", model["dropout"].dump(), "none");
  std::optional<std::string> unknown;
  if (!is_absent(model, "unk_token")) unknown = json_at<std::string>(source, model, "unk_token");
  bool const fuse = json_or<bool>(source, model, "fuse_unk", false),
             ignore_merges = json_or<bool>(source, model, "ignore_merges", false);
  if (byte_level) {
    return std::make_shared<ByteLevelBpe const>(ByteLevelBpeFields{std::move(file.vocabulary), std::move(file.merges),
                                                                   std::move(unknown), fuse, ignore_merges, source});
  }
  return std::make_shared<CharacterBpe const>(CharacterBpeFields{std::move(file.vocabulary), std::move(file.merges),
                                                                 std::move(unknown), fuse, byte_fallback, ignore_merges,
                                                                 source});
}

[[nodiscard]] inline ModelPointer read_unigram(std::string const& source, TokenizerJson& file,
                                               nlohmann::json const& model) {
  if (!file.has_scores) fail<FileError>("[", source, "] lacks model.vocab; expected [[\"piece\", score], …]");
  if (file.scores.empty()) fail<FileError>("[", source, "] model.vocab is empty; expected pieces");
  check_members(source, model, "Unigram", std::array<std::string_view, 4>{"type", "unk_id", "byte_fallback", "vocab"});
  UnigramFields fields;
  if (!is_absent(model, "unk_id")) {
    auto const id = json_at<std::uint64_t>(source, model, "unk_id");
    if (id >= file.scores.size())
      fail<FileError>("[", source, "] unk_id is out of range; got ", id, "; expected one below ", file.scores.size());
    fields.unknown = static_cast<Token>(id);
  }
  fields.byte_fallback = json_or<bool>(source, model, "byte_fallback", false);
  fields.vocabulary = std::move(file.vocabulary);
  fields.scores = std::move(file.scores);
  fields.source = source;
  return std::make_shared<Unigram const>(std::move(fields));
}

[[nodiscard]] inline ModelPointer read_word_piece(std::string const& source, TokenizerJson& file,
                                                  nlohmann::json const& model) {
  if (!file.has_vocabulary) fail<FileError>("[", source, "] lacks model.vocab; expected {\"token\": id, …}");
  check_members(source, model, "WordPiece",
                std::array<std::string_view, 5>{"type", "unk_token", "continuing_subword_prefix",
                                                "max_input_chars_per_word", "vocab"});
  WordPieceFields fields;
  fields.unknown = json_or<std::string>(source, model, "unk_token", "[UNK]");
  if (model.contains("continuing_subword_prefix"))
    fields.prefix = read_short_text(source, model, "continuing_subword_prefix");
  fields.longest_word =
      static_cast<std::size_t>(json_or<std::uint64_t>(source, model, "max_input_chars_per_word", 100));
  fields.vocabulary = std::move(file.vocabulary);
  fields.source = source;
  return std::make_shared<WordPiece const>(std::move(fields));
}

/// The model; its type may be missing in old files, where the tables tell. Takes the tables out of `file`.
[[nodiscard]] inline ModelPointer read_model(std::string const& source, TokenizerJson& file, bool byte_level) {
  nlohmann::json const& model = member(source, file.rest, "model");
  if (!model.is_object()) fail<FileError>("[", source, "] model is not an object; got ", json_excerpt(model));
  std::string const type = json_or<std::string>(source, model, "type",
                                                file.has_merges   ? "BPE"
                                                : file.has_scores ? "Unigram"
                                                                  : "WordPiece");
  if (type == "BPE") return read_bpe(source, file, model, byte_level);
  if (type != "Unigram" && type != "WordPiece")
    unsupported(source, "tokenizer model", type, "BPE, Unigram or WordPiece");
  if (byte_level) unsupported(source, "tokenizer model after ByteLevel", type, "BPE");
  return type == "Unigram" ? read_unigram(source, file, model) : read_word_piece(source, file, model);
}

}  // namespace graft::detail
