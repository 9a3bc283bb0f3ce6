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
    classes[c] = letter                 ? CharClass::letter
                 : space                ? CharClass::space
                 : c >= '0' && c <= '9' ? CharClass::number
                                        : CharClass::other;
  }
  return classes;
}

inline constexpr std::array<CharClass, 128> ascii_classes = make_ascii_classes();

/// Letters and numbers of Unicode 15.1 and 16, which an older ICU takes for unassigned.
[[nodiscard]] inline CharClass young_char_class(char32_t code) noexcept {
  struct Range {
    char32_t first, last;
    CharClass kind;
  };
  constexpr CharClass letter = CharClass::letter, number = CharClass::number;
  static constexpr std::array<Range, 29> ranges{
      {{0x1C89, 0x1C8A, letter},   {0xA7CB, 0xA7CD, letter},   {0xA7DA, 0xA7DC, letter},   {0x105C0, 0x105F3, letter},
       {0x10D40, 0x10D49, number}, {0x10D4A, 0x10D65, letter}, {0x10D6F, 0x10D85, letter}, {0x10EC2, 0x10EC4, letter},
       {0x11380, 0x11389, letter}, {0x1138B, 0x1138B, letter}, {0x1138E, 0x1138E, letter}, {0x11390, 0x113B5, letter},
       {0x113B7, 0x113B7, letter}, {0x113D1, 0x113D1, letter}, {0x113D3, 0x113D3, letter}, {0x116D0, 0x116E3, number},
       {0x11BC0, 0x11BE0, letter}, {0x11BF0, 0x11BF9, number}, {0x13460, 0x143FA, letter}, {0x16100, 0x1611D, letter},
       {0x16130, 0x16139, number}, {0x16D40, 0x16D6C, letter}, {0x16D70, 0x16D79, number}, {0x18CFF, 0x18CFF, letter},
       {0x1CCF0, 0x1CCF9, number}, {0x1E5D0, 0x1E5ED, letter}, {0x1E5F0, 0x1E5F0, letter}, {0x1E5F1, 0x1E5FA, number},
       {0x2EBF0, 0x2EE5D, letter}}};
  for (Range const& range : ranges)
    if (code <= range.last) return code >= range.first ? range.kind : CharClass::other;
  return CharClass::other;
}

}  // namespace detail

/// The class of a code point, from ICU's general category and White_Space.
[[nodiscard]] inline CharClass char_class(char32_t code) noexcept {
  if (code < 128) return detail::ascii_classes[code];
  auto const c = static_cast<UChar32>(code);
  std::uint32_t const category = U_MASK(u_charType(c));
  if ((category & U_GC_L_MASK) != 0) return CharClass::letter;
  if ((category & U_GC_N_MASK) != 0) return CharClass::number;
  if ((category & U_GC_CN_MASK) != 0) return detail::young_char_class(code);
  return u_isUWhiteSpace(c) != 0 ? CharClass::space : CharClass::other;
}

/// Whether `\w` matches: alphabetic characters, marks, decimal digits, connector punctuation, joiners (Unicode TS 18,
/// annex C).
[[nodiscard]] inline bool is_word_char(char32_t code) noexcept {
  auto const c = static_cast<UChar32>(code);
  return (U_MASK(u_charType(c)) & (U_GC_M_MASK | U_GC_ND_MASK | U_GC_PC_MASK)) != 0 ||
         u_hasBinaryProperty(c, UCHAR_ALPHABETIC) != 0 || u_hasBinaryProperty(c, UCHAR_JOIN_CONTROL) != 0;
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
