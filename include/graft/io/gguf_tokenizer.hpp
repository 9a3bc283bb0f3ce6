/// @file
/// @brief Takes the tokenizer's fields out of a GGUF file.
#pragma once

#include <graft/core/error.hpp>
#include <graft/core/warning.hpp>
#include <graft/io/gguf.hpp>
#include <graft/text/gguf_tokenizer_fields.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace graft {

namespace detail {

/// Says which entries about the tokenizer are not known, and which settings are not followed.
inline void check_gguf_tokenizer_keys(GgufFile const& file, std::string_view model) {
  constexpr std::string_view ggml = "tokenizer.ggml.";
  constexpr std::array<std::string_view, 36> known{"model",
                                                   "pre",
                                                   "tokens",
                                                   "token_type",
                                                   "token_type_count",
                                                   "scores",
                                                   "merges",
                                                   "bos_token_id",
                                                   "eos_token_id",
                                                   "padding_token_id",
                                                   "unknown_token_id",
                                                   "separator_token_id",
                                                   "seperator_token_id",
                                                   "cls_token_id",
                                                   "mask_token_id",
                                                   "eot_token_id",
                                                   "eom_token_id",
                                                   "prefix_token_id",
                                                   "suffix_token_id",
                                                   "middle_token_id",
                                                   "fim_pre_token_id",
                                                   "fim_suf_token_id",
                                                   "fim_mid_token_id",
                                                   "fim_pad_token_id",
                                                   "fim_rep_token_id",
                                                   "fim_sep_token_id",
                                                   "add_bos_token",
                                                   "add_eos_token",
                                                   "add_space_prefix",
                                                   "add_sep_token",
                                                   "remove_extra_whitespaces",
                                                   "precompiled_charsmap",
                                                   "added_tokens",
                                                   "suppress_tokens",
                                                   "normalizer.lowercase",
                                                   "add_prefix_space"};
  for (GgufValue const& value : file.metadata()) {
    std::string_view key = value.key;
    if (!key.starts_with("tokenizer.") || key.starts_with("tokenizer.chat_template") ||
        key == "tokenizer.huggingface.json")
      continue;
    bool const named = key.starts_with(ggml);
    if (named) key.remove_prefix(ggml.size());
    if (!named || std::find(known.begin(), known.end(), key) == known.end())
      warn("[", file.path(), "] metadata key ", printable(value.key), " is not known; it is ignored");
  }
  auto const idle = [&](char const* key, bool follows) {
    if (!follows && file.find(key) != nullptr)
      warn("[", file.path(), "] ", key, " is not followed by a tokenizer of the model ", printable(model));
  };
  auto const flag = [&](char const* key) { return file.find(key) != nullptr && file.get<bool>(key).value_or(false); };
  idle("tokenizer.ggml.remove_extra_whitespaces", !flag("tokenizer.ggml.remove_extra_whitespaces"));
  idle("tokenizer.ggml.add_space_prefix", model == "llama" || !flag("tokenizer.ggml.add_space_prefix"));
  idle("tokenizer.ggml.add_prefix_space", !flag("tokenizer.ggml.add_prefix_space"));
  idle("tokenizer.ggml.add_sep_token", !flag("tokenizer.ggml.add_sep_token"));
  idle("tokenizer.ggml.normalizer.lowercase", !flag("tokenizer.ggml.normalizer.lowercase"));
  idle("tokenizer.ggml.precompiled_charsmap", false);
  idle("tokenizer.ggml.added_tokens", false);
  idle("tokenizer.ggml.suppress_tokens", false);
}

}  // namespace detail

/// Reads the entries below `tokenizer.ggml`; those that are not known or not followed are warned of.
/// @throws FileError if there is no vocabulary, lists differ in length, or an id lies outside of it
[[nodiscard]] inline GgufTokenizerFields gguf_tokenizer_fields(GgufFile const& file) {
  GgufTokenizerFields fields;
  fields.file = file.path();
  fields.model = file.require<std::string>("tokenizer.ggml.model");
  fields.pre = file.get<std::string>("tokenizer.ggml.pre").value_or("");
  fields.tokens = file.require<std::vector<std::string>>("tokenizer.ggml.tokens");
  fields.merges = file.get<std::vector<std::string>>("tokenizer.ggml.merges").value_or(std::vector<std::string>());
  if (fields.tokens.empty())
    fail<FileError>("[", file.path(), "] has an empty vocabulary at the metadata key \"tokenizer.ggml.tokens\"");

  auto const same_length = [&](std::string_view key, std::size_t length) {
    if (length != 0 && length != fields.tokens.size()) {
      fail<FileError>("[", file.path(), "] has ", length, " values at the metadata key ", printable(key),
                      "; expected one for each of ", fields.tokens.size(), " tokens");
    }
  };
  auto const types =
      file.get<std::vector<std::int64_t>>("tokenizer.ggml.token_type").value_or(std::vector<std::int64_t>());
  same_length("tokenizer.ggml.token_type", types.size());
  fields.token_types.reserve(types.size());
  for (std::int64_t const type : types) {
    if (type < 0 || type > 6) fail<FileError>("[", file.path(), "] has the token type ", type, "; expected 0 … 6");
    fields.token_types.push_back(static_cast<std::int32_t>(type));
  }
  auto const scores = file.get<std::vector<double>>("tokenizer.ggml.scores").value_or(std::vector<double>());
  same_length("tokenizer.ggml.scores", scores.size());
  fields.scores.reserve(scores.size());
  for (double const score : scores) fields.scores.push_back(static_cast<float>(score));

  auto const id = [&](char const* key) {
    auto value = file.get<std::int64_t>(key);
    if (value && (*value < 0 || static_cast<std::uint64_t>(*value) >= fields.tokens.size())) {
      fail<FileError>("[", file.path(), "] has the id ", *value, " at the metadata key ", key,
                      "; expected one below the vocabulary's ", fields.tokens.size());
    }
    return value;
  };
  fields.bos_id = id("tokenizer.ggml.bos_token_id");
  fields.eos_id = id("tokenizer.ggml.eos_token_id");
  fields.pad_id = id("tokenizer.ggml.padding_token_id");
  fields.unk_id = id("tokenizer.ggml.unknown_token_id");
  fields.sep_id = id("tokenizer.ggml.separator_token_id");
  if (!fields.sep_id) fields.sep_id = id("tokenizer.ggml.seperator_token_id");  // llama.cpp's spelling
  fields.cls_id = id("tokenizer.ggml.cls_token_id");
  fields.mask_id = id("tokenizer.ggml.mask_token_id");
  fields.add_bos = file.get<bool>("tokenizer.ggml.add_bos_token");
  fields.add_eos = file.get<bool>("tokenizer.ggml.add_eos_token");
  fields.add_space_prefix = file.get<bool>("tokenizer.ggml.add_space_prefix");
  fields.chat_template = file.get<std::string>("tokenizer.chat_template").value_or("");
  detail::check_gguf_tokenizer_keys(file, fields.model);
  return fields;
}

}  // namespace graft
