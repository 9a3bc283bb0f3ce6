/// @file
/// @brief Text out of an untrusted file as an error message may show it.
#pragma once

#include <string>
#include <string_view>

#include <graft/text/utf8.hpp>

namespace graft {

/// A text in quotes: about 96 bytes of it at most; control characters, quotes and bytes that
/// are not UTF-8 as a backslash, x and two hexadecimal digits.
[[nodiscard]] inline std::string printable(std::string_view text) {
  constexpr std::size_t longest = 96;
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out = "\"";
  std::size_t at = 0;
  while (at < text.size() && at < longest) {
    auto const [code, bytes, state] = utf8_at(text, at);
    bool const shown = state == Utf8State::valid && code >= 0x20 && (code < 0x7f || code >= 0xa0) && code != '"';
    for (std::string_view const part = text.substr(at, bytes); char const c : part) {
      if (shown) {
        out += c;
        continue;
      }
      auto const byte = static_cast<unsigned char>(c);
      (out += "\\x") += digits[byte >> 4];
      out += digits[byte & 15];
    }
    at += bytes;
  }
  out += at < text.size() ? "…\"" : "\"";
  return out;
}

/// The same for a name in a list: as it is, or in quotes if anything of it has to be escaped or cut.
[[nodiscard]] inline std::string printable_name(std::string_view text) {
  std::string const quoted = printable(text);
  return text.empty() || quoted.size() != text.size() + 2 || std::string_view(quoted).substr(1, text.size()) != text
             ? quoted
             : std::string(text);
}

}  // namespace graft
