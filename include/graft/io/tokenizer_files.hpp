/// @file
/// @brief Tokenizers from the files of a Hugging Face folder.
#pragma once

#include <graft/text/tokenizer.hpp>

#include <filesystem>

namespace graft {

namespace detail {

/// `load_tokenizer_files`; its body is in read_tokenizer.hpp.
template <class>
[[nodiscard]] Tokenizer read_tokenizer_files(std::filesystem::path const& path);
#ifdef GRAFT_COMPILED_TEXT
extern template Tokenizer read_tokenizer_files<void>(std::filesystem::path const&);
#endif

}  // namespace detail

/// A tokenizer from a tokenizer.json, a SentencePiece model (`*.model`) or a vocab.txt with the settings beside it, or
/// from a Hugging Face folder: its tokenizer.json if there is one, else spiece.model, tokenizer.model or
/// sentencepiece.bpe.model, else vocab.txt, else vocab.json and merges.txt. A folder's tokenizer_config.json,
/// special_tokens_map.json, added_tokens.json and config.json count as in transformers' AutoTokenizer; what is not
/// followed is warned of.
/// @throws FileError for missing or malformed files, ConfigError for tokenizers of an unsupported kind
[[nodiscard]] inline Tokenizer load_tokenizer_files(std::filesystem::path const& path) {
  return detail::read_tokenizer_files<void>(path);
}

}  // namespace graft

#ifndef GRAFT_COMPILED_TEXT
#include <graft/io/read_tokenizer.hpp>
#endif
