/// @file
/// @brief `load_tokenizer`: the tokenizer of whatever holds a model.
#pragma once

#include <filesystem>
#include <string_view>

#include <graft/core/presence.hpp>
#include <graft/io/gguf.hpp>
#include <graft/io/gguf_tokenizer.hpp>
#include <graft/io/mapped_file.hpp>
#include <graft/io/tokenizer_files.hpp>
#include <graft/text/gguf_tokenizer.hpp>

namespace graft {

namespace detail {

/// `load_tokenizer`, once in graft::compiled.
template <class = void>
[[nodiscard]] Tokenizer read_tokenizer(std::filesystem::path const& path) {
  if (is_folder(path)) return load_tokenizer_files(path);
  if (path.extension() == ".gguf" || MappedFile::open(path)->text().starts_with("GGUF"))
    return make_gguf_tokenizer(gguf_tokenizer_fields(GgufFile(path)));
  if (path.extension() == ".safetensors")
    return load_tokenizer_files(path.has_parent_path() ? path.parent_path() : std::filesystem::path("."));
  return load_tokenizer_files(path);
}
#ifdef GRAFT_COMPILED_TEXT
extern template Tokenizer read_tokenizer<>(std::filesystem::path const&);
#endif

}  // namespace detail

/// The tokenizer of a model: from the metadata of a GGUF file, from a Hugging Face folder (tokenizer.json, else a
/// SentencePiece model, vocab.txt, or vocab.json and merges.txt), from the folder of a safetensors file, or from a tokenizer.json,
/// a SentencePiece model or a vocab.txt itself. What `load_pretrained` takes for a model, this takes for its tokenizer.
/// @throws FileError for missing or malformed files and for a model without a tokenizer, ConfigError for tokenizers of an unsupported kind
[[nodiscard]] inline Tokenizer load_tokenizer(std::filesystem::path const& path) { return detail::read_tokenizer(path); }

}  // namespace graft
