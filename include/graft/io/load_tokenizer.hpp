/// @file
/// @brief `load_tokenizer`: the tokenizer of whatever holds a model.
#pragma once

#include <filesystem>

#include <graft/io/tokenizer_files.hpp>
#include <graft/text/tokenizer.hpp>

namespace graft {

namespace detail {

/// `load_tokenizer`; its body is in read_tokenizer.hpp.
template <class>
[[nodiscard]] Tokenizer read_tokenizer(std::filesystem::path const& path);
#ifdef GRAFT_COMPILED_TEXT
extern template Tokenizer read_tokenizer<void>(std::filesystem::path const&);
#endif

}  // namespace detail

/// The tokenizer of a model: from the metadata of a GGUF file, from a Hugging Face folder (tokenizer.json, else a
/// SentencePiece model, vocab.txt, or vocab.json and merges.txt), from the folder of a safetensors file, or from a
/// tokenizer.json, a SentencePiece model or a vocab.txt itself. What `load_pretrained` takes for a model, this takes
/// for its tokenizer.
/// @throws FileError for missing or malformed files and for a model without a tokenizer, ConfigError for tokenizers of
/// an unsupported kind
[[nodiscard]] inline Tokenizer load_tokenizer(std::filesystem::path const& path) {
  return detail::read_tokenizer<void>(path);
}

}  // namespace graft

#ifndef GRAFT_COMPILED_TEXT
#include <graft/io/read_tokenizer.hpp>
#endif
