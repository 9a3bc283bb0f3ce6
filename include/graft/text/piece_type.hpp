/// @file
/// @brief What a piece of a SentencePiece model stands for.
#pragma once

#include <cstdint>

namespace graft {

/// `ModelProto.SentencePiece.Type`, and GGUF's `tokenizer.ggml.token_type`.
enum class PieceType : std::uint8_t {
  normal = 1,
  unknown = 2,       ///< stands for characters without a piece
  control = 3,       ///< `</s>` and the like: never found in text, invisible when decoded
  user_defined = 4,  ///< always found in text
  unused = 5,        ///< never the outcome
  byte = 6           ///< `<0x0A>`: spells what has no piece
};

}  // namespace graft
