/// @file
/// @brief How the files of a tokenizer become one: what `load_tokenizer` and `load_tokenizer_files` do, once in
/// graft::compiled.
#pragma once

#include <graft/core/error.hpp>
#include <graft/core/presence.hpp>
#include <graft/io/byte_level_folder.hpp>
#include <graft/io/folder_class.hpp>
#include <graft/io/folder_switches.hpp>
#include <graft/io/folder_tokens.hpp>
#include <graft/io/gguf.hpp>
#include <graft/io/gguf_in_folder.hpp>
#include <graft/io/gguf_tokenizer.hpp>
#include <graft/io/mapped_file.hpp>
#include <graft/io/sentencepiece_folder.hpp>
#include <graft/io/tokenizer_json.hpp>
#include <graft/io/tokenizer_settings.hpp>
#include <graft/io/word_piece_folder.hpp>
#include <graft/text/gguf_tokenizer.hpp>
#include <graft/text/tokenizer.hpp>

#include <filesystem>
#include <string>
#include <utility>
#include <variant>

namespace graft::detail {

/// The parts of a folder's tokenizer, from the first that it has of the files that may hold one.
[[nodiscard]] inline TokenizerParts read_folder_tokenizer(std::filesystem::path const& folder,
                                                          TokenizerSettings const& settings) {
  auto const has = [&](char const* name) { return is_there(folder / name); };
  if (has("tokenizer.json")) {
    auto const file = MappedFile::open(folder / "tokenizer.json");
    nlohmann::json components;
    TokenizerParts parts = read_tokenizer_parts(file->text(), file->path(), &components);
    FolderClass const kind = folder_class(settings, std::holds_alternative<decoding::ByteLevel>(parts.decoder));
    FolderClassReader reader(parts, components, settings, kind);
    reader.use_switches();
    add_folder_tokens(parts, settings, class_tokens(kind, settings));
    reader.use_template();
    check_idle_switches(parts, components, settings);
    use_common_switches(parts, settings, components["model"].value("type", "BPE") == "BPE");
    return parts;
  }
  for (char const* const name : {"spiece.model", "tokenizer.model", "sentencepiece.bpe.model"})
    if (has(name)) return read_sentencepiece_folder(folder, name, settings);
  if (has("vocab.txt")) return read_word_piece_folder(folder, settings);
  if (has("vocab.json") && has("merges.txt")) return read_vocabulary_and_merges(folder, settings);
  fail<FileError>("[", folder.string(),
                  "] holds no tokenizer; expected tokenizer.json, spiece.model, tokenizer.model, ",
                  "sentencepiece.bpe.model, vocab.txt, or vocab.json and merges.txt", gguf_hint(folder));
}

/// The parts in a single file that needs no other: a SentencePiece model if its name ends so, else a tokenizer.json.
[[nodiscard]] inline TokenizerParts read_tokenizer_file(std::filesystem::path const& path) {
  auto const file = MappedFile::open(path);
  if (path.extension() != ".model") return read_tokenizer_parts(file->text(), file->path());
  TokenizerParts parts = make_sentencepiece_parts(parse_sentencepiece(file->text(), file->path()));
  set_sentencepiece_template(parts, TokenizerSettings(), path.filename().string());
  return parts;
}

/// `load_tokenizer_files`.
template <class>
[[nodiscard]] Tokenizer read_tokenizer_files(std::filesystem::path const& path) {
  bool const folder = is_folder(path), word_piece = path.filename() == "vocab.txt";
  TokenizerSettings const settings = folder       ? TokenizerSettings(path)
                                     : word_piece ? TokenizerSettings(path.parent_path())
                                                  : TokenizerSettings();
  TokenizerParts parts = folder       ? read_folder_tokenizer(path, settings)
                         : word_piece ? read_word_piece_folder(path.parent_path(), settings)
                                      : read_tokenizer_file(path);
  assign_special_tokens(parts, settings);
  if (folder) check_tokenizer_versions(settings);
  if ((folder || word_piece) && !gives_token_types(settings, folder && is_there(path / "tokenizer.json")))
    parts.text_template = parts.text_template.without_types();
  return Tokenizer(std::move(parts));
}

/// `load_tokenizer`.
template <class>
[[nodiscard]] Tokenizer read_tokenizer(std::filesystem::path const& path) {
  if (is_folder(path)) return read_tokenizer_files<void>(path);
  if (path.extension() == ".gguf" || MappedFile::open(path)->text().starts_with("GGUF"))
    return make_gguf_tokenizer(gguf_tokenizer_fields(GgufFile(path)));
  if (path.extension() == ".safetensors")
    return read_tokenizer_files<void>(path.has_parent_path() ? path.parent_path() : std::filesystem::path("."));
  return read_tokenizer_files<void>(path);
}

}  // namespace graft::detail
