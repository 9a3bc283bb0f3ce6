/// @file
/// @brief The Unicode character classes that tokenizers split on.
#pragma once

#include <graft/text/utf8.hpp>

#include <unicode/uchar.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace graft {

/// The partition of all characters that byte-level BPE's regular expressions use.
enum class CharClass : std::uint8_t {
  other,   ///< `[^\s\p{L}\p{N}]`
  letter,  ///< `\p{L}`
  number,  ///< `\p{N}`: decimal digits, letter numbers, other numbers
  space    ///< `\s`: the property White_Space
};

namespace detail {

[[nodiscard]] constexpr std::array<CharClass, 128> make_ascii_classes() noexcept {
  std::array<CharClass, 128> classes{};
  for (std::size_t c = 0; c < classes.size(); ++c) {
    bool const letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    bool const space = c == ' ' || (c >= '\t' && c <= '\r');
    classes[c] = letter ? CharClass::letter : space ? CharClass::space : c >= '0' && c <= '9' ? CharClass::number : CharClass::other;
  }
  return classes;
}

inline constexpr std::array<CharClass, 128> ascii_classes = make_ascii_classes();

}  // namespace detail

/// The class of a code point, from ICU's general category and White_Space.
[[nodiscard]] inline CharClass char_class(char32_t code) noexcept {
  if (code < 128) return detail::ascii_classes[code];
  auto const c = static_cast<UChar32>(code);
  std::uint32_t const category = U_MASK(u_charType(c));
  if ((category & U_GC_L_MASK) != 0) return CharClass::letter;
  if ((category & U_GC_N_MASK) != 0) return CharClass::number;
  return u_isUWhiteSpace(c) != 0 ? CharClass::space : CharClass::other;
}

/// Whether `\w` matches: alphabetic characters, marks, decimal digits, connector punctuation, joiners (Unicode TS 18, annex C).
[[nodiscard]] inline bool is_word_char(char32_t code) noexcept {
  auto const c = static_cast<UChar32>(code);
  return (U_MASK(u_charType(c)) & (U_GC_M_MASK | U_GC_ND_MASK | U_GC_PC_MASK)) != 0 || u_hasBinaryProperty(c, UCHAR_ALPHABETIC) != 0 ||
         u_hasBinaryProperty(c, UCHAR_JOIN_CONTROL) != 0;
}

/// A character of a text with its class.
struct ClassifiedChar {
  char32_t code;
  std::uint8_t bytes;
  CharClass kind;
};

/// The character at byte `position` of a well-formed text, with its class.
[[nodiscard]] inline ClassifiedChar classified_at(std::string_view text, std::size_t position) noexcept {
  auto const byte = static_cast<unsigned char>(text[position]);
  if (byte < 128) return {byte, 1, detail::ascii_classes[byte]};
  Utf8Char const c = utf8_at(text, position);
  return {c.code, c.bytes, char_class(c.code)};
}

}  // namespace graft
