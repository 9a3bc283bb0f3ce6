/// @file
/// @brief Takes the tokenizer's fields out of a GGUF file.
#pragma once

#include <graft/core/error.hpp>
#include <graft/io/gguf.hpp>
#include <graft/text/gguf_tokenizer_fields.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace graft {

/// Reads `tokenizer.ggml.*`; throws FileError if there is no vocabulary, lists differ in length, or an id lies outside of it.
[[nodiscard]] inline GgufTokenizerFields gguf_tokenizer_fields(GgufFile const& file) {
  GgufTokenizerFields fields;
  fields.file = file.path();
  fields.model = file.require<std::string>("tokenizer.ggml.model");
  fields.pre = file.get<std::string>("tokenizer.ggml.pre").value_or("");
  fields.tokens = file.require<std::vector<std::string>>("tokenizer.ggml.tokens");
  fields.merges = file.get<std::vector<std::string>>("tokenizer.ggml.merges").value_or(std::vector<std::string>());
  if (fields.tokens.empty()) fail<FileError>("[", file.path(), "] has an empty vocabulary at the metadata key \"tokenizer.ggml.tokens\"");

  auto const same_length = [&](std::string_view key, std::size_t length) {
    if (length != 0 && length != fields.tokens.size()) {
      fail<FileError>("[", file.path(), "] has ", length, " values at the metadata key ", printable(key), "; expected one for each of ",
                      fields.tokens.size(), " tokens");
    }
  };
  auto const types = file.get<std::vector<std::int64_t>>("tokenizer.ggml.token_type").value_or(std::vector<std::int64_t>());
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
      fail<FileError>("[", file.path(), "] has the id ", *value, " at the metadata key ", key, "; expected one below the vocabulary's ",
                      fields.tokens.size());
    }
    return value;
  };
  fields.bos_id = id("tokenizer.ggml.bos_token_id");
  fields.eos_id = id("tokenizer.ggml.eos_token_id");
  fields.pad_id = id("tokenizer.ggml.padding_token_id");
  fields.unk_id = id("tokenizer.ggml.unknown_token_id");
  fields.add_bos = file.get<bool>("tokenizer.ggml.add_bos_token");
  fields.add_eos = file.get<bool>("tokenizer.ggml.add_eos_token");
  fields.add_space_prefix = file.get<bool>("tokenizer.ggml.add_space_prefix");
  fields.chat_template = file.get<std::string>("tokenizer.chat_template").value_or("");
  return fields;
}

}  // namespace graft
