/// @file
/// @brief From tokens back to text.
#pragma once

#include <graft/text/byte_alphabet.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace graft {

/// How tokens make a text.
enum class Decoder : std::uint8_t {
  byte_level,  ///< each token spells bytes in GPT-2's alphabet
  spaces       ///< tokens are words, joined by single spaces (Hugging Face's behaviour where a file names no decoder)
};

/// Appends what `token` stands for; `first` says that no token came before it.
inline void append_decoded(Decoder decoder, std::string_view token, bool first, std::string& bytes) {
  switch (decoder) {
    case Decoder::byte_level:
      return append_spelled_bytes(bytes, token);
    case Decoder::spaces:
      if (!first) bytes.push_back(' ');
      bytes.append(token);
  }
}

}  // namespace graft
