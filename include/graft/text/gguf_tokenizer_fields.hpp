/// @file
/// @brief What a GGUF file says about its tokenizer, as plain values (the reader fills it; the tokenizers build from
/// it).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace graft {

/// `tokenizer.ggml.*` of a GGUF file. Ids are checked to lie in the vocabulary.
struct GgufTokenizerFields {
  std::string file;                 ///< for messages
  std::string model;                ///< "gpt2": byte-level BPE; "llama": SentencePiece BPE
  std::string pre;                  ///< name of the pre-tokenizer's pattern, e.g. "smollm"; empty if not given
  std::vector<std::string> tokens;  ///< piece of each id; for "gpt2" in the byte-to-character alphabet
  std::vector<std::int32_t>
      token_types;            ///< 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte; empty if not given
  std::vector<float> scores;  ///< of each id (SentencePiece); empty if not given
  std::vector<std::string> merges;  ///< "left right", best first; empty if not given
  std::optional<std::int64_t> bos_id;
  std::optional<std::int64_t> eos_id;
  std::optional<std::int64_t> pad_id;
  std::optional<std::int64_t> unk_id;
  std::optional<std::int64_t> sep_id;
  std::optional<std::int64_t> cls_id;
  std::optional<std::int64_t> mask_id;
  std::optional<bool> add_bos;  ///< whether encoding begins with bos; the tokenizer's default if not given
  std::optional<bool> add_eos;
  std::optional<bool> add_space_prefix;
  std::string chat_template;  ///< Jinja text; empty if not given
};

}  // namespace graft
