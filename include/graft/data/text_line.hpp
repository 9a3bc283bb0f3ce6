/// @file
/// @brief A text as one line of a file, whatever it holds: line breaks are escaped, and read back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <graft/text/utf8.hpp>

namespace graft {

namespace detail {

/// What some reader takes for the end of a line (Python's `splitlines`), and the byte order mark.
[[nodiscard]] constexpr bool breaks_lines(char32_t c) noexcept {
  return c == 0x0B || c == 0x0C || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 || c == 0x2029 || c == 0xFEFF;
}

/// The number of four hexadecimal digits.
[[nodiscard]] inline std::optional<std::uint32_t> four_digits(std::string_view text) noexcept {
  if (text.size() < 4) return std::nullopt;
  std::uint32_t value = 0;
  for (char const c : text.substr(0, 4)) {
    bool const digit = c >= '0' && c <= '9', lower = c >= 'a' && c <= 'f', upper = c >= 'A' && c <= 'F';
    if (!digit && !lower && !upper) return std::nullopt;
    value = value * 16 + static_cast<std::uint32_t>(digit ? c - '0' : lower ? c - 'a' + 10 : c - 'A' + 10);
  }
  return value;
}

[[nodiscard]] inline std::string four_digits_of(char32_t c) {
  std::string text;
  for (unsigned shift = 16; shift > 0;) text += "0123456789abcdef"[c >> (shift -= 4) & 15];
  return text;
}

}  // namespace detail

/// A text (UTF-8) in one line: `\n` for a line feed, `\r` for a carriage return, `\u` and four hexadecimal digits for
/// the other characters that end lines somewhere (vertical tab, form feed, U+001C to U+001E, U+0085, U+2028, U+2029)
/// and for U+FEFF, `\\` for a backslash. All else stays.
[[nodiscard]] inline std::string escape_line(std::string_view text) {
  std::string line;
  line.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    auto const c = utf8_at(text, at);
    if (c.code == U'\\')
      line += "\\\\";
    else if (c.code == U'\n')
      line += "\\n";
    else if (c.code == U'\r')
      line += "\\r";
    else if (detail::breaks_lines(c.code))
      line += "\\u" + detail::four_digits_of(c.code);
    else
      line += text.substr(at, c.bytes);
    at += c.bytes;
  }
  return line;
}

/// The text of a line that `escape_line` wrote; nothing if a backslash begins no escape.
[[nodiscard]] inline std::optional<std::string> unescape_line(std::string_view line) {
  std::string text;
  text.reserve(line.size());
  for (std::size_t at = 0; at < line.size(); ++at) {
    if (line[at] != '\\') {
      text += line[at];
      continue;
    }
    if (++at == line.size()) return std::nullopt;
    if (line[at] == '\\' || line[at] == 'n' || line[at] == 'r') {
      text += line[at] == '\\' ? '\\' : line[at] == 'n' ? '\n' : '\r';
      continue;
    }
    auto const value = line[at] == 'u' ? detail::four_digits(line.substr(at + 1)) : std::nullopt;
    if (!value || (*value >= 0xD800 && *value <= 0xDFFF)) return std::nullopt;
    append_utf8(text, *value);
    at += 4;
  }
  return text;
}

}  // namespace graft
