/// @file
/// @brief GPT-2's spelling of bytes as printable characters, in which byte-level vocabularies are written.
///
/// The printable characters of Latin-1 stand for themselves, the other 68 bytes for U+0100 … U+0143 in order: a space
/// is `Ġ`, a line feed `Ċ`. Source: `bytes_to_unicode` in OpenAI's GPT-2 `encoder.py` (Radford et al. 2019).
#pragma once

#include <graft/text/utf8.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace graft {

namespace detail {

struct ByteAlphabet {
  std::array<char16_t, 256> letter_of{};      ///< byte → code point
  std::array<std::int16_t, 0x144> byte_of{};  ///< code point → byte, or -1
};

[[nodiscard]] constexpr ByteAlphabet make_byte_alphabet() noexcept {
  ByteAlphabet alphabet;
  for (auto& byte : alphabet.byte_of) byte = -1;
  char16_t next = 0x100;
  for (std::size_t b = 0; b < 256; ++b) {
    bool const printable = (b >= 0x21 && b <= 0x7E) || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
    char16_t const letter = printable ? static_cast<char16_t>(b) : next++;
    alphabet.letter_of[b] = letter;
    alphabet.byte_of[letter] = static_cast<std::int16_t>(b);
  }
  return alphabet;
}

inline constexpr ByteAlphabet byte_alphabet = make_byte_alphabet();

}  // namespace detail

/// The spelling of raw bytes: `" the"` → `"Ġthe"`.
[[nodiscard]] inline std::string spell_bytes(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (char const byte : bytes) append_utf8(out, detail::byte_alphabet.letter_of[static_cast<unsigned char>(byte)]);
  return out;
}

/// Appends the bytes that `token` spells. A token with any character outside the alphabet (an added token with a space,
/// say) is not a spelling and is appended as it is.
inline void append_spelled_bytes(std::string& out, std::string_view token) {
  std::size_t const start = out.size();
  for (std::size_t at = 0; at < token.size();) {
    Utf8Char const c = utf8_at(token, at);
    std::int16_t const byte =
        c.code < detail::byte_alphabet.byte_of.size() ? detail::byte_alphabet.byte_of[c.code] : std::int16_t{-1};
    if (byte < 0) {
      out.resize(start);
      out.append(token);
      return;
    }
    out.push_back(static_cast<char>(static_cast<unsigned char>(byte)));
    at += c.bytes;
  }
}

}  // namespace graft
