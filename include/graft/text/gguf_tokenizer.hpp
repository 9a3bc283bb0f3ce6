/// @file
/// @brief A tokenizer from the metadata of a GGUF file.
#pragma once

#include <graft/core/error.hpp>
#include <graft/core/types.hpp>
#include <graft/core/warning.hpp>
#include <graft/text/byte_level_bpe.hpp>
#include <graft/text/gguf_tokenizer_fields.hpp>
#include <graft/text/sentencepiece_tokenizer.hpp>
#include <graft/text/tokenizer.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace graft {

/// Where readers of GGUF files disagree.
struct GgufTokenizerOptions {
  /// SmolLM's own tokenizer (`tokenizer.ggml.pre` = "smollm") splits every digit off, and so does llama.cpp. Hugging
  /// Face's reader of GGUF files, and the tokenizer.json that it writes, does not, and is followed by default: token
  /// ids then equal those of a checkpoint converted from the file. They differ only where several spaces stand before a
  /// digit, and in numerals outside ASCII.
  bool smollm_digits = false;
};

namespace detail {

/// Names of Llama 3's way of splitting, whose texts begin with bos unless the file says otherwise.
[[nodiscard]] inline bool is_llama3(std::string_view pre) noexcept {
  return pre == "llama-bpe" || pre == "llama3" || pre == "llama-v3";
}

/// How a GGUF `pre` name splits text.
struct GgufSplitting {
  std::vector<PreTokenizerStep> steps;
  NormalForm normalizer = NormalForm::none;
  bool ignore_merges = false;
};

[[nodiscard]] inline GgufSplitting gguf_splitting(GgufTokenizerFields const& fields, GgufTokenizerOptions options) {
  std::string_view const pre = fields.pre;
  if (pre.empty() || pre == "default") {
    warn("[", fields.file, "] does not name its way of splitting text; got ",
         pre.empty() ? "no tokenizer.ggml.pre" : "tokenizer.ggml.pre \"default\"",
         "; GPT-2's is taken, where llama.cpp takes its own default; hint: ids may differ from those that the model "
         "was trained with");
  }
  if (pre == "gpt-2" || pre == "gpt2" || pre == "default" || pre.empty()) return {{PreTokenizerStep::split_gpt2}};
  if (pre == "smollm") {
    if (options.smollm_digits) return {{PreTokenizerStep::digits, PreTokenizerStep::split_gpt2}};
    return {{PreTokenizerStep::split_gpt2}};
  }
  if (is_llama3(pre)) return {{PreTokenizerStep::split_llama3}, NormalForm::none, true};
  if (pre == "qwen2") return {{PreTokenizerStep::split_qwen2}, NormalForm::nfc};
  fail<ConfigError>("[", fields.file, "] way of splitting text is not supported; got tokenizer.ggml.pre ",
                    printable(pre), "; expected \"gpt-2\", \"default\", \"smollm\", \"llama-bpe\" or \"qwen2\"");
}

[[nodiscard]] inline std::vector<AddedToken> gguf_added_tokens(GgufTokenizerFields const& fields) {
  enum : std::int32_t { undefined = 0, control = 3, user_defined = 4, byte = 6 };
  std::vector<AddedToken> added;
  for (std::size_t i = 0; i < fields.token_types.size(); ++i) {
    std::int32_t const type = fields.token_types[i];
    if (type < undefined || type > byte)
      fail<FileError>("[", fields.file, "] type of token ", i, " is unknown; got ", type, "; expected ", +undefined,
                      " to ", +byte);
    if (type != control && type != user_defined) continue;
    AddedToken token;
    token.content = fields.tokens[i];
    token.id = static_cast<Token>(i);
    token.special = type == control;
    added.push_back(std::move(token));
  }
  return added;
}

/// A token's id as a role or template names it, if it is in the vocabulary.
[[nodiscard]] inline std::optional<Token> gguf_role(GgufTokenizerFields const& fields, char const* key,
                                                    std::optional<std::int64_t> id) {
  if (!id) return std::nullopt;
  if (*id < 0 || static_cast<std::uint64_t>(*id) >= fields.tokens.size()) {
    fail<FileError>("[", fields.file, "] tokenizer.ggml.", key, "_token_id is out of range; got ", *id,
                    "; expected 0 to ", fields.tokens.size() - 1);
  }
  return static_cast<Token>(*id);
}

/// Byte-level BPE.
[[nodiscard]] inline TokenizerParts gguf_byte_level(GgufTokenizerFields const& fields, GgufTokenizerOptions options) {
  if (!fields.token_types.empty() && fields.token_types.size() != fields.tokens.size()) {
    fail<FileError>("[", fields.file, "] tokens and token types disagree; got ", fields.tokens.size(), " and ",
                    fields.token_types.size());
  }
  GgufSplitting splitting = gguf_splitting(fields, options);
  ByteLevelBpeFields bpe;
  bpe.ignore_merges = splitting.ignore_merges;
  bpe.source = fields.file;
  for (std::size_t i = 0; i < fields.tokens.size(); ++i)
    bpe.vocabulary.add(fields.tokens[i], static_cast<std::int64_t>(i), fields.file);
  for (std::string const& merge : fields.merges) bpe.merges.add_line(merge, fields.file);
  TokenizerParts parts;
  parts.added_tokens = gguf_added_tokens(fields);
  parts.normalizer = splitting.normalizer;
  parts.pre_tokenizer = PreTokenizer(std::move(splitting.steps));
  parts.model = std::make_shared<ByteLevelBpe const>(std::move(bpe));
  parts.source = fields.file;
  return parts;
}

/// SentencePiece BPE, as llama.cpp reads it: no normalization but for `▁`, and a space before each text.
[[nodiscard]] inline TokenizerParts gguf_sentencepiece(GgufTokenizerFields const& fields) {
  std::size_t const size = fields.tokens.size();
  if (fields.scores.size() != size || fields.token_types.size() != size) {
    fail<FileError>("[", fields.file, "] scores and token types are not one for each of ", size, " tokens; got ",
                    fields.scores.size(), " and ", fields.token_types.size());
  }
  SentencePieceFields pieces;
  pieces.file = fields.file;
  pieces.kind = SentencePieceFields::Kind::bpe;
  pieces.scores = fields.scores;
  for (std::size_t i = 0; i < size; ++i) {
    std::int32_t const type = fields.token_types[i];
    if (type < 0 || type > 6)
      fail<FileError>("[", fields.file, "] type of token ", i, " is unknown; got ", type, "; expected 0 to 6");
    pieces.vocabulary.add(fields.tokens[i], static_cast<std::int64_t>(i), fields.file);
    pieces.types.push_back(type == 0 ? PieceType::normal : static_cast<PieceType>(type));
    pieces.byte_fallback = pieces.byte_fallback || type == 6;
  }
  pieces.remove_extra_whitespaces = false;
  if (!fields.add_space_prefix.value_or(true)) pieces.prefix = PrefixSpace::never;
  TokenizerParts parts = make_sentencepiece_parts(std::move(pieces));
  for (AddedToken& token : parts.added_tokens) token.in_text = true;
  std::get<decoding::Pieces>(parts.decoder).surfaces = nullptr;
  return parts;
}

}  // namespace detail

/// Builds the tokenizer of a GGUF file (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md). Its control tokens
/// are special; user-defined ones are found in text but not special.
/// @throws FileError for contradictory fields, ConfigError for a model or a way of splitting that is not supported
[[nodiscard]] inline Tokenizer make_gguf_tokenizer(GgufTokenizerFields const& fields,
                                                   GgufTokenizerOptions options = {}) {
  bool const sentencepiece = fields.model == "llama";
  if (fields.model != "gpt2" && !sentencepiece) {
    fail<ConfigError>("[", fields.file, "] tokenizer model is not supported; got tokenizer.ggml.model ",
                      printable(fields.model), "; expected \"gpt2\" (byte-level BPE) or \"llama\" (SentencePiece BPE)");
  }
  if (fields.tokens.empty()) fail<FileError>("[", fields.file, "] has no tokens; got an empty tokenizer.ggml.tokens");
  TokenizerParts parts = sentencepiece ? detail::gguf_sentencepiece(fields) : detail::gguf_byte_level(fields, options);
  SpecialTokens& special = parts.special_tokens;
  auto const unknown = special.unk;
  special = {detail::gguf_role(fields, "bos", fields.bos_id),       detail::gguf_role(fields, "eos", fields.eos_id),
             detail::gguf_role(fields, "padding", fields.pad_id),   detail::gguf_role(fields, "unknown", fields.unk_id),
             detail::gguf_role(fields, "separator", fields.sep_id), detail::gguf_role(fields, "cls", fields.cls_id),
             detail::gguf_role(fields, "mask", fields.mask_id)};
  if (!special.unk) special.unk = unknown;
  parts.text_template = TextTemplate::around(
      fields.add_bos.value_or(sentencepiece || detail::is_llama3(fields.pre)) ? special.bos : std::nullopt,
      fields.add_eos.value_or(false) ? special.eos : std::nullopt);
  return Tokenizer(std::move(parts));
}

}  // namespace graft
