/// @file
/// @brief Character properties as of the Unicode versions that Hugging Face's tokenizers were built with.
///
/// Its tables of punctuation and control characters are those of Unicode 8, its tables of marks those of Unicode 8
/// or 9. ICU knows how old each character is; the few whose category has changed since are named here.
#pragma once

#include <unicode/uchar.h>

#include <cstdint>

namespace graft::detail {

/// Whether a character was assigned in version `major` of Unicode.
[[nodiscard]] inline bool assigned_by(char32_t code, std::uint8_t major) noexcept {
  UVersionInfo age{};
  u_charAge(static_cast<UChar32>(code), age);
  return age[0] != 0 && (age[0] < major || (age[0] == major && age[1] == 0));
}

[[nodiscard]] inline std::uint32_t category_mask(char32_t code) noexcept {
  return U_MASK(u_charType(static_cast<UChar32>(code)));
}

/// Punctuation for BERT: ASCII's symbols count.
[[nodiscard]] inline bool is_bert_punctuation(char32_t code) noexcept {
  if (code < 0x80)
    return (code > 0x20 && code < '0') || (code > '9' && code < 'A') || (code > 'Z' && code < 'a') ||
           (code > 'z' && code < 0x7F);
  if (code == 0x166D || code == 0x111C9) return true;  // punctuation until Unicode 12 and 11
  return (category_mask(code) & U_GC_P_MASK) != 0 && assigned_by(code, 8);
}

/// What BERT's cleaning drops.
[[nodiscard]] inline bool is_bert_control(char32_t code) noexcept {
  if (code == '\t' || code == '\n' || code == '\r') return false;
  if (code < 0x80) return code < 0x20 || code == 0x7F;
  return code == 0xFFFD ||
         ((category_mask(code) & (U_GC_CC_MASK | U_GC_CF_MASK | U_GC_CO_MASK)) != 0 && assigned_by(code, 8));
}

/// Accents for BERT: nonspacing marks of Unicode 8.
[[nodiscard]] inline bool is_bert_accent(char32_t code) noexcept {
  if (code == 0x1734) return true;  // nonspacing until Unicode 14
  if (code == 0x1885 || code == 0x1886 || code == 0xA9BD || code == 0x111C9)
    return false;  // nonspacing marks since Unicode 9 and later
  return code >= 0x300 && (category_mask(code) & U_GC_MN_MASK) != 0 && assigned_by(code, 8);
}

/// Accents for the normalizer `StripAccents`: marks of any kind, of Unicode 9.
[[nodiscard]] inline bool is_mark(char32_t code) noexcept {
  if (code == 0x1CF2 || code == 0x1CF3) return true;  // marks until Unicode 12
  return code >= 0x300 && code != 0x111C9 && (category_mask(code) & U_GC_M_MASK) != 0 && assigned_by(code, 9);
}

/// Chinese characters for BERT. The sixth range begins 0x100 late in the reference too.
[[nodiscard]] constexpr bool is_bert_ideograph(char32_t code) noexcept {
  return (code >= 0x4E00 && code <= 0x9FFF) || (code >= 0x3400 && code <= 0x4DBF) ||
         (code >= 0x20000 && code <= 0x2A6DF) || (code >= 0x2A700 && code <= 0x2B81F) ||
         (code >= 0x2B920 && code <= 0x2CEAF) || (code >= 0xF900 && code <= 0xFAFF) ||
         (code >= 0x2F800 && code <= 0x2FA1F);
}

}  // namespace graft::detail
