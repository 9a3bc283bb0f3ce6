/// @file
/// @brief Tokenizers from Hugging Face's tokenizer.json.
#pragma once

#include <graft/core/error.hpp>
#include <graft/io/json.hpp>
#include <graft/io/tokenizer_component.hpp>
#include <graft/io/tokenizer_decoder.hpp>
#include <graft/io/tokenizer_model.hpp>
#include <graft/io/tokenizer_normalizer.hpp>
#include <graft/io/tokenizer_pre_tokenizer.hpp>
#include <graft/io/tokenizer_sax.hpp>
#include <graft/io/tokenizer_template.hpp>
#include <graft/text/tokenizer.hpp>

#include <nlohmann/json.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace graft {

namespace detail {

/// One entry of `added_tokens`, or of tokenizer_config.json's `added_tokens_decoder`.
[[nodiscard]] inline AddedToken read_added_token(std::string const& source, nlohmann::json const& entry,
                                                 std::int64_t id) {
  if (id < 0 || id >= Vocabulary::id_limit)
    fail<FileError>("[", source, "] id of an added token is out of range; got ", id, "; expected 0 to ",
                    Vocabulary::id_limit - 1);
  constexpr std::array<std::string_view, 9> known{"id",          "content",    "special", "lstrip", "rstrip",
                                                  "single_word", "normalized", "__type",  "type"};
  check_members(source, entry, "an added token", known);
  AddedToken token;
  token.content = json_at<std::string>(source, entry, "content");
  token.id = static_cast<Token>(id);
  token.special = json_or<bool>(source, entry, "special", false);
  token.lstrip = json_or<bool>(source, entry, "lstrip", false);
  token.rstrip = json_or<bool>(source, entry, "rstrip", false);
  token.single_word = json_or<bool>(source, entry, "single_word", false);
  token.normalized = json_or<bool>(source, entry, "normalized", !token.special);
  return token;
}

[[nodiscard]] inline std::vector<AddedToken> read_added_tokens(std::string const& source, nlohmann::json const& root) {
  std::vector<AddedToken> tokens;
  if (is_absent(root, "added_tokens")) return tokens;
  if (!root["added_tokens"].is_array())
    fail<FileError>("[", source, "] added_tokens is not a list; got ", json_excerpt(root["added_tokens"]),
                    "; expected an array");
  for (auto const& entry : root["added_tokens"])
    tokens.push_back(read_added_token(source, entry, json_at<std::int64_t>(source, entry, "id")));
  return tokens;
}

/// Fills roles that no file speaks of from the conventional names of special tokens: GPT-2's, if it is the only one,
/// BERT's, and those of RoBERTa and SentencePiece.
/// @param ends whether to look for those that begin, end and fill a text, too
inline void default_special_tokens(TokenizerParts& parts, bool ends = true) {
  SpecialTokens& special = parts.special_tokens;
  AddedToken const* only = nullptr;
  std::size_t count = 0;
  std::array<std::pair<std::string_view, std::optional<Token>*>, 8> const names{{{"[CLS]", &special.cls},
                                                                                 {"[SEP]", &special.sep},
                                                                                 {"[MASK]", &special.mask},
                                                                                 {"<mask>", &special.mask},
                                                                                 {"<s>", &special.bos},
                                                                                 {"</s>", &special.eos},
                                                                                 {"[PAD]", &special.pad},
                                                                                 {"<pad>", &special.pad}}};
  for (AddedToken const& token : parts.added_tokens) {
    if (!token.special) continue;
    only = &token, ++count;
    for (auto const& [name, role] : std::span(names).first(ends ? 8 : 4))
      if (token.content == name && !*role) *role = token.id;
  }
  if (ends && count == 1 && only->content == "<|endoftext|>") special.bos = special.eos = only->id;
}

/// The parts that a tokenizer.json describes, without roles of special tokens other than those that its components
/// name.
/// @param components takes the file without its tables, if given
[[nodiscard]] inline TokenizerParts read_tokenizer_parts(std::string_view text, std::string const& source,
                                                         nlohmann::json* components = nullptr) {
  TokenizerJson file = parse_tokenizer_json(text, source, TokenizerFile::tokenizer_json);
  nlohmann::json const& root = file.rest;
  constexpr std::array<std::string_view, 9> known{"version",        "truncation", "padding",
                                                  "added_tokens",   "normalizer", "pre_tokenizer",
                                                  "post_processor", "decoder",    "model"};
  check_members(source, root, "the file", known);
  TokenizerParts parts;
  parts.source = source;
  auto [steps, byte_level] = read_pre_tokenizer(source, root);
  parts.pre_tokenizer = std::move(steps);
  parts.model = read_model(source, file, byte_level);
  parts.normalizer = read_normalizer(source, root);
  parts.decoder = read_decoder(source, root);
  if (!byte_level && std::holds_alternative<decoding::ByteLevel>(parts.decoder))
    unsupported(source, "pre-tokenizer with a ByteLevel decoder", "one without ByteLevel", "ByteLevel");
  parts.added_tokens = read_added_tokens(source, root);
  read_post_processor(source, root, parts.text_template, parts.special_tokens);
  parts.special_tokens.unk = parts.model->unknown();
  if (components != nullptr) *components = std::move(file.rest);
  return parts;
}

}  // namespace detail

/// A tokenizer from the text of a tokenizer.json; `source` names it in errors.
/// @throws FileError for malformed text, ConfigError for components that are not supported
[[nodiscard]] inline Tokenizer parse_tokenizer(std::string_view text, std::string const& source = "tokenizer.json") {
  TokenizerParts parts = detail::read_tokenizer_parts(text, source);
  detail::default_special_tokens(parts);
  return Tokenizer(std::move(parts));
}

}  // namespace graft
