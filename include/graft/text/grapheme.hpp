/// @file
/// @brief Characters as a reader sees them: a letter with its accents is one.
#pragma once

#include <graft/text/utf8.hpp>

#include <unicode/uchar.h>

#include <cstddef>
#include <string_view>

namespace graft {

namespace detail {

/// Whether Unicode Standard Annex 29 puts no boundary between two characters. Its rules about emoji and flags are left
/// out: those clusters take six bytes and more, and whoever asks here is concerned with shorter ones only.
[[nodiscard]] inline bool joins_grapheme(char32_t left, char32_t right) noexcept {
  if (left < 0x80 && right < 0x80) return left == '\r' && right == '\n';
  auto const break_property = [](char32_t code) {
    return u_getIntPropertyValue(static_cast<UChar32>(code), UCHAR_GRAPHEME_CLUSTER_BREAK);
  };
  int const before = break_property(left), after = break_property(right);
  auto const is_control = [](int property) {
    return property == U_GCB_CONTROL || property == U_GCB_CR || property == U_GCB_LF;
  };
  if (is_control(before) || is_control(after)) return false;
  if (after == U_GCB_EXTEND || after == U_GCB_ZWJ || after == U_GCB_SPACING_MARK || before == U_GCB_PREPEND)
    return true;
  if (before == U_GCB_L) return after == U_GCB_L || after == U_GCB_V || after == U_GCB_LV || after == U_GCB_LVT;
  if (before == U_GCB_LV || before == U_GCB_V) return after == U_GCB_V || after == U_GCB_T;
  return (before == U_GCB_LVT || before == U_GCB_T) && after == U_GCB_T;
}

}  // namespace detail

/// Where the grapheme cluster that begins at byte `at` of a well-formed text ends.
[[nodiscard]] inline std::size_t grapheme_end(std::string_view text, std::size_t at) noexcept {
  Utf8Char left = utf8_at(text, at);
  for (at += left.bytes; at < text.size();) {
    Utf8Char const right = utf8_at(text, at);
    if (!detail::joins_grapheme(left.code, right.code)) break;
    at += right.bytes;
    left = right;
  }
  return at;
}

}  // namespace graft
